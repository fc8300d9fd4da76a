// Checks the checks: each fails against a registry broken on purpose, and passes through the same proxy left whole.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokenRegistry } from './broken-registry.ts';
import { NotConformant } from './must.ts';
import { musts } from './musts.ts';
import { openProbe, runCheck } from './probe.ts';
import type { ProbeSession } from './probe.ts';
import { openRealRegistry } from './real-registry.ts';
import type { RealRegistry } from './real-registry.ts';
import { sabotages } from './sabotages.ts';

let registry: RealRegistry;
let broken: BrokenRegistry;
let probe: ProbeSession;

beforeAll(async () => {
  registry = await openRealRegistry();
  broken = await BrokenRegistry.open(registry.url);
  const { username, password } = registry;
  probe = openProbe(broken.url, { scheme: 'bearer', username, password });
});

afterAll(async () => {
  probe?.close();
  await broken?.close();
  await registry?.close();
});

for (const must of musts) {
  describe(`${must.id} ${must.section}: ${must.text}`, () => {
    it('passes when nothing is broken', async () => {
      broken.use(undefined);
      expect(await runCheck(must, probe)).toBeUndefined();
    });
    for (const sabotage of sabotages.filter((one) => one.must === must.id)) {
      it(`fails when the registry ${sabotage.name}`, async () => {
        broken.use(sabotage);
        const outcome = await runCheck(must, probe);
        // Only a statement of the check itself counts, not an accident on the way.
        expect(outcome).toBeInstanceOf(NotConformant);
      });
    }
  });
}
