// Garbage collection on a real store, beside pushes.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestRegistry, pushBlob, pushImage, sha256 } from './testing.ts';
import type { TestRegistry } from './testing.ts';

/** Everything is old at once, so that each rule is seen to hold by itself. */
const AT_ONCE = { intervalMs: 0, graceMs: -1_000, uploadAgeMs: -1_000, settleMs: 0 };

let test: TestRegistry;

beforeAll(async () => {
  test = await openTestRegistry({ gc: AT_ONCE });
});

afterAll(async () => {
  await test?.close();
});

async function objectIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const object of test.store.blobs.list()) ids.push(object.id);
  return ids;
}

describe('garbage collection', () => {
  it('takes what no manifest names, and leaves what one does', async () => {
    const image = await pushImage(test, 'gc/app', 'v1');
    const loose = await pushBlob(test, 'gc/app');
    const report = await test.registry.collectGarbage();
    expect(report).toMatchObject({ unlinked: 1, doomed: 1, deletedBlobs: 1, freedBytes: 1_000, held: false });
    expect((await test.send('GET', `/v2/gc/app/blobs/${loose}`)).status).toBe(404);
    expect((await test.send('GET', `/v2/gc/app/blobs/${image.layer}`)).status).toBe(200);
    expect((await test.send('GET', `/v2/gc/app/blobs/${image.config}`)).status).toBe(200);
    await test.send('DELETE', `/v2/gc/app/manifests/${image.digest}`);
    expect(await test.registry.collectGarbage()).toMatchObject({ unlinked: 2, deletedBlobs: 2 });
    expect(await objectIds()).toEqual([]);
  });

  it('keeps a blob that another repository still holds', async () => {
    const layer = randomBytes(3_000);
    const one = await pushImage(test, 'gc/one', 'v1', layer);
    const two = await pushImage(test, 'gc/two', 'v1', layer);
    await test.send('DELETE', `/v2/gc/one/manifests/${one.digest}`);
    await test.registry.collectGarbage();
    expect((await test.send('GET', `/v2/gc/one/blobs/${sha256(layer)}`)).status).toBe(404);
    expect((await test.send('GET', `/v2/gc/two/blobs/${sha256(layer)}`)).body.equals(layer)).toBe(true);
    await test.send('DELETE', `/v2/gc/two/manifests/${two.digest}`);
    await test.registry.collectGarbage();
  });

  it('revives a marked blob that is pushed or mounted again before it is deleted', async () => {
    await test.restart({ gc: { ...AT_ONCE, settleMs: 3_600_000 } });
    const bytes = randomBytes(1_000);
    const digest = await pushBlob(test, 'gc/revive', bytes);
    expect(await test.registry.collectGarbage()).toMatchObject({ unlinked: 1, doomed: 1, deletedBlobs: 0 });
    await pushBlob(test, 'gc/revive', bytes);
    await test.restart({ gc: { ...AT_ONCE, graceMs: 3_600_000, settleMs: -1_000 } });
    expect(await test.registry.collectGarbage()).toMatchObject({ unlinked: 0, doomed: 0, deletedBlobs: 0 });
    expect((await test.send('GET', `/v2/gc/revive/blobs/${digest}`)).body.equals(bytes)).toBe(true);
    await test.restart({ gc: AT_ONCE });
    await test.registry.collectGarbage();
  });

  it('expires uploads and removes what crashes left', async () => {
    const started = await test.send('POST', '/v2/gc/uploads/blobs/uploads/');
    const location = started.headers.location ?? '';
    await test.send('PATCH', location, { body: randomBytes(500) });
    await test.restart({ gc: AT_ONCE });
    const orphan = await test.store.blobs.create();
    await orphan.write(Buffer.from('left behind'));
    await orphan.finish();
    expect(await test.registry.collectGarbage()).toMatchObject({ expiredUploads: 1, orphanObjects: 1 });
    expect((await test.send('GET', location)).status).toBe(404);
    expect(await objectIds()).toEqual([]);
  });

  it('deletes nothing while a backup reads', async () => {
    await pushBlob(test, 'gc/held');
    const hold = { id: 'test', expires: new Date(Date.now() + 60_000) };
    await sql`INSERT INTO backup_hold (id, expires_at) VALUES (${hold.id}, ${hold.expires})`.execute(
      test.store.db,
    );
    expect(await test.registry.collectGarbage()).toMatchObject({
      held: true,
      deletedBlobs: 0,
      orphanObjects: 0,
    });
    expect(await objectIds()).toHaveLength(1);
    await sql`DELETE FROM backup_hold`.execute(test.store.db);
    expect(await test.registry.collectGarbage()).toMatchObject({ held: false, deletedBlobs: 1 });
  });

  it('beside pushes never takes what was acknowledged', async () => {
    let pushing = true;
    const collecting = (async () => {
      let runs = 0;
      while (pushing) {
        await test.registry.collectGarbage();
        runs++;
      }
      return runs;
    })();
    const pushed: { repository: string; digest: string; layer: string }[] = [];
    const shared = randomBytes(5_000);
    for (let round = 0; round < 12; round++) {
      const repository = `gc/beside-${round % 3}`;
      try {
        const image = await pushImage(test, repository, `t${round}`, round % 2 === 0 ? shared : undefined);
        pushed.push({ repository, digest: image.digest, layer: image.layer });
      } catch (error) {
        // Without any grace a blob may go before its manifest comes: the push is then refused, not half kept.
        expect(String(error)).toMatch(/MANIFEST_BLOB_UNKNOWN/);
      }
    }
    pushing = false;
    expect(await collecting).toBeGreaterThan(0);
    await test.registry.collectGarbage();
    for (const { repository, digest, layer } of pushed) {
      expect((await test.send('GET', `/v2/${repository}/manifests/${digest}`)).status).toBe(200);
      const blob = await test.send('GET', `/v2/${repository}/blobs/${layer}`);
      expect([blob.status, sha256(blob.body)]).toEqual([200, layer]);
    }
  });
});
