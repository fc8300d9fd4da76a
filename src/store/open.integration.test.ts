// The whole store on both databases: composed, closed and opened again with everything it held.
import { statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { describeOnBothStores } from '../../test/fixtures/both-stores.ts';
import { createMetrics, silentLogger, systemClock, systemRandomness } from '../core/index.ts';
import { withTransaction } from './database.ts';
import { openStore } from './open.ts';
import { openTestStore } from './testing.ts';

describeOnBothStores('openStore', (open, kind) => {
  it('leaves nothing running when it fails', async () => {
    const place = await open();
    const first = await openTestStore({ place });
    await sql`insert into schema_migration (name) values ('9999-from-the-future')`.execute(first.db);
    await first.close();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openTestStore({ place })).rejects.toMatchObject({ code: 'STORE_DATABASE_NEWER' });
    }
    await place.remove();
  });

  it('keeps blobs, audit records and jobs over a restart', async () => {
    const place = await open();
    const first = await openTestStore({ place });
    expect(first.kind).toBe(kind);
    expect(statSync(first.dataDirectory).mode & 0o077).toBe(0);
    const writer = await first.blobs.create();
    for await (const chunk of Readable.from([Buffer.from('some '), Buffer.from('bytes')]))
      await writer.write(chunk);
    await writer.finish();
    await first.jobs.define('later', { retryLimit: 1, retryDelaySeconds: 1, expireSeconds: 60 });
    const job = await withTransaction(first.db, async (transaction) => {
      await first.audit.record(transaction, {
        action: 'manifest.push',
        actor: 'admin',
        target: 'shop/cart:1',
        result: 'success',
        address: null,
      });
      return first.jobs.enqueue('later', { number: 1 }, { transaction });
    });
    first.audit.append({
      action: 'login.failed',
      actor: 'anonymous',
      target: '-',
      result: 'denied',
      address: '::1',
    });
    await first.close();

    const metrics = createMetrics();
    const second = await openStore({
      ...place.options,
      logger: silentLogger(),
      clock: systemClock,
      randomness: systemRandomness,
      metrics,
    });
    await second.ping();
    expect(await text(await second.blobs.read(writer.id))).toBe('some bytes');
    expect(await second.jobs.get(job ?? '')).toMatchObject({ state: 'created', payload: { number: 1 } });
    await second.journal.drain();
    const { records } = await second.audit.list({ limit: 10 });
    expect(records.map((record) => record.action).toSorted()).toEqual(['login.failed', 'manifest.push']);
    expect(await metrics.metrics()).toMatch(/^breakwater_database_connections\{state="waiting"\} 0$/m);
    await second.close();
    await place.remove();
  });
});
