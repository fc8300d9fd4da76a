// Runs checks against a registry at some address.
import { randomBytes } from 'node:crypto';
import { RegistryClient } from './client.ts';
import type { Credentials } from './client.ts';
import type { Must, Probe } from './must.ts';
import { Preparation } from './preparation.ts';

export interface ProbeSession extends Probe {
  close(): void;
}

/** A probe of the registry at `base`, which holds nothing that the checks could stumble over. */
export function openProbe(base: URL, credentials: Credentials): ProbeSession {
  const client = new RegistryClient(base, credentials);
  const preparing = new RegistryClient(base, credentials, true);
  return {
    client,
    prepare: new Preparation(preparing),
    repository: () => `conformance/${randomBytes(8).toString('hex')}`,
    close: () => {
      client.close();
      preparing.close();
    },
  };
}

/** Runs one check; resolves to what it threw, or undefined when the registry meets the requirement. */
export async function runCheck(must: Must, probe: Probe): Promise<unknown> {
  try {
    await must.check(probe);
    return undefined;
  } catch (error) {
    return error;
  }
}
