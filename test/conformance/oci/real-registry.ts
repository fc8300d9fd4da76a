// A Breakwater registry on a database of its own, listening on the loopback address, for the checks to run against.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createMetrics,
  EventBus,
  silentLogger,
  systemClock,
  systemRandomness,
} from '../../../src/core/index.ts';
import { createIdentity } from '../../../src/identity/index.ts';
import { createRegistry } from '../../../src/registry/index.ts';
import { openTestStore } from '../../../src/store/testing.ts';

export interface RealRegistry {
  readonly url: URL;
  readonly username: string;
  readonly password: string;
  close(): Promise<void>;
}

export async function openRealRegistry(): Promise<RealRegistry> {
  const keyDirectory = await mkdtemp(join(tmpdir(), 'breakwater-conformance-'));
  const store = await openTestStore();
  const shared = { clock: systemClock, randomness: systemRandomness, logger: silentLogger() };
  const identity = await createIdentity({ store, keyDirectory, ...shared });
  const credential = await identity.ensureAdministrator();
  if (!credential) throw new Error('the store is not new');
  const registry = await createRegistry({
    store,
    identity,
    events: new EventBus(shared.logger),
    metrics: createMetrics(),
    ...shared,
  });
  const { port } = await registry.listen('127.0.0.1', 0);
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    ...credential,
    close: async () => {
      await registry.close();
      identity.close();
      await store.close();
      await rm(keyDirectory, { recursive: true, force: true });
    },
  };
}
