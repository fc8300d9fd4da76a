// Decision 2a: pulls and token checks do not wait for the database. A 2-second query runs while they are measured.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics, EventBus, silentLogger, systemClock, systemRandomness } from '../src/core/index.ts';
import { createIdentity } from '../src/identity/index.ts';
import { createRegistry } from '../src/registry/index.ts';
import { openTestStore } from '../src/store/testing.ts';
import { MANIFEST_TYPE, pushSmallImage, sha256, smallImage } from './fixtures/small-image.ts';

const QUERY_MS = 2_000;
/** Far above the bar of the bench (25 ms) for a noisy machine, far below the query that must not be waited for. */
const P99_MS = 250;

describe('hot paths beside a slow query', () => {
  const keys = mkdtempSync(join(tmpdir(), 'breakwater-hot-'));
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const image = smallImage('hot', Buffer.alloc(10_000, 7));
  let store: Awaited<ReturnType<typeof openTestStore>>;
  let registry: Awaited<ReturnType<typeof createRegistry>>;
  let identity: Awaited<ReturnType<typeof createIdentity>>;
  let address: { host: string; port: number };
  let basic: string;

  beforeAll(async () => {
    store = await openTestStore();
    const shared = { logger: silentLogger(), clock: systemClock, randomness: systemRandomness };
    identity = await createIdentity({ store, keyDirectory: keys, ...shared });
    const credential = await identity.ensureAdministrator();
    basic = `Basic ${Buffer.from(`admin:${credential?.password ?? ''}`).toString('base64')}`;
    registry = await createRegistry({
      store,
      identity,
      events: new EventBus(shared.logger),
      metrics: createMetrics(),
      ...shared,
    });
    address = await registry.listen('127.0.0.1', 0);
    await pushSmallImage(image, {
      registry: `127.0.0.1:${address.port}`,
      authorization: basic,
      repository: 'hot/app',
      tag: 'latest',
    });
  });

  afterAll(async () => {
    agent.destroy();
    await registry?.close();
    identity?.close();
    await store?.close();
    rmSync(keys, { recursive: true, force: true });
  });

  function call(path: string, authorization: string): Promise<{ status: number; body: string; ms: number }> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const headers = { authorization, accept: MANIFEST_TYPE };
      const outgoing = request({ ...address, path, headers, agent }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, ms: performance.now() - started }),
        );
        response.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  it('answers token requests, manifests and blobs while the query runs', async () => {
    const challenge = await fetch(`http://127.0.0.1:${address.port}/v2/`);
    const service = /service="([^"]*)"/.exec(challenge.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    const tokenPath = `/oauth2/token?service=${encodeURIComponent(service)}&scope=repository:hot/app:pull`;
    let running = true;
    const started = performance.now();
    const query = sql`select pg_sleep(${QUERY_MS / 1000})`.execute(store.db).finally(() => (running = false));
    const times: number[] = [];
    while (running) {
      const answer = await call(tokenPath, basic);
      expect(answer.status).toBe(200);
      const bearer = `Bearer ${(JSON.parse(answer.body) as { token: string }).token}`;
      const manifest = await call('/v2/hot/app/manifests/latest', bearer);
      expect(manifest.status).toBe(200);
      const blob = await call(`/v2/hot/app/blobs/${sha256(image.layer)}`, bearer);
      expect(blob.status).toBe(200);
      if (running) times.push(answer.ms, manifest.ms, blob.ms);
    }
    await query;
    // The query did run for its two seconds, and the requests ran beside it.
    expect(performance.now() - started).toBeGreaterThan(QUERY_MS * 0.9);
    expect(times.length).toBeGreaterThan(100);
    const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.POSITIVE_INFINITY;
    expect(p99).toBeLessThan(P99_MS);
  });
});
