// Checks Breakwater's registry, or another one named in the environment, against every MUST of the OCI distribution specification.
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Credentials } from './client.ts';
import { musts } from './musts.ts';
import { openProbe } from './probe.ts';
import type { ProbeSession } from './probe.ts';
import { openRealRegistry } from './real-registry.ts';
import type { RealRegistry } from './real-registry.ts';

const external = process.env['CONFORMANCE_REGISTRY'];

if (external === undefined) {
  for (const scheme of ['bearer', 'basic'] as const) {
    describe(`OCI distribution specification 1.1.1, signed in with ${scheme}`, () => {
      let registry: RealRegistry;
      let probe: ProbeSession;
      beforeAll(async () => {
        registry = await openRealRegistry();
        probe = openProbe(registry.url, { scheme, username: registry.username, password: registry.password });
      });
      afterAll(async () => {
        probe?.close();
        await registry?.close();
      });
      for (const must of musts) {
        it(`${must.id} ${must.section}: ${must.text}`, () => must.check(probe));
      }
    });
  }
} else {
  describe(`OCI distribution specification 1.1.1 at ${external}`, () => {
    const probe = openProbe(new URL(external), credentialsFromEnvironment());
    afterAll(() => probe.close());
    for (const must of musts) {
      it(`${must.id} ${must.section}: ${must.text}`, () => must.check(probe));
    }
  });
}

function credentialsFromEnvironment(): Credentials {
  const username = process.env['CONFORMANCE_USERNAME'];
  if (username === undefined) return { scheme: 'none' };
  const scheme = process.env['CONFORMANCE_SCHEME'] === 'basic' ? 'basic' : 'bearer';
  return { scheme, username, password: process.env['CONFORMANCE_PASSWORD'] ?? '' };
}
