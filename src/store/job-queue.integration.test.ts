// The job queue on both stores: retries, back-off, dead letters, keys, transactions, waking, pages, recovery.
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeOnBothStores } from '../../test/fixtures/both-stores.ts';
import { silentLogger } from '../core/index.ts';
import { openDatabase, withTransaction, type OpenedDatabase } from './database.ts';
import { openJobQueue } from './job-queue.ts';
import { openTestPlace, type TestPlace } from './testing.ts';
import type { Job, JobPayload, JobQueue } from './types.ts';

const QUICK = { retryLimit: 2, retryDelaySeconds: 1, expireSeconds: 60 };

async function until<T>(look: () => Promise<T | undefined> | T | undefined, limitMs = 20_000): Promise<T> {
  for (const started = performance.now(); performance.now() - started < limitMs; await sleep(25)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`did not come about within ${limitMs} ms`);
}

describeOnBothStores('openJobQueue', (open) => {
  let place: TestPlace;
  let database: OpenedDatabase;
  let jobs: JobQueue;

  beforeAll(async () => {
    place = await open();
    database = await openDatabase({ ...place.options, logger: silentLogger() });
    jobs = await openJobQueue({ database, logger: silentLogger() });
  });
  afterAll(async () => {
    await jobs.stop(1_000);
    await database.close();
    await place.remove();
  });

  it('works what was enqueued, woken at once, one after another without waiting for the poll', async () => {
    await jobs.define('works', QUICK);
    const seen: JobPayload[] = [];
    await jobs.work('works', { concurrency: 2 }, async ({ payload }) => {
      await sleep(1);
      seen.push(payload);
    });
    await sleep(300);
    for (let number = 0; number < 20; number++) await jobs.enqueue('works', { number });
    const started = performance.now();
    jobs.wake('works');
    await until(() => (seen.length === 20 ? true : undefined));
    expect(performance.now() - started).toBeLessThan(1_900);
    expect(new Set(seen.map((payload) => payload['number'])).size).toBe(20);
  });

  it('retries with growing delays, then keeps a dead letter that can be retried', async () => {
    await jobs.define('fails', QUICK);
    const attempts: number[] = [];
    let failing = true;
    const id = (await jobs.enqueue('fails', { what: 'it' })) ?? '';
    await jobs.work('fails', { concurrency: 1 }, async () => {
      attempts.push(performance.now());
      if (failing) throw new Error(`attempt ${attempts.length} failed`, { cause: new Error('secret') });
    });
    const dead = await until(async () => (await jobs.list({ queue: 'fails.dead', limit: 10 })).jobs[0]);
    expect(attempts).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = attempts;
    // Half of 2^n seconds at least, with jitter on top.
    expect(second - first).toBeGreaterThan(900);
    expect(third - second).toBeGreaterThan(1_900);
    expect(dead).toMatchObject({
      deadLetter: true,
      payload: { what: 'it' },
      error: 'attempt 3 failed',
      retries: 2,
    });
    expect(await jobs.get(id)).toMatchObject({
      state: 'failed',
      error: 'attempt 3 failed',
      deadLetter: false,
    });
    const { rows } = await sql`select 1 from pgboss.job where output::text like '%secret%'`.execute(
      database.db,
    );
    expect(rows).toEqual([]);

    failing = false;
    expect(await jobs.retry(dead.id)).toBe(true);
    jobs.wake('fails');
    await until(async () => ((await jobs.get(id))?.state === 'completed' ? true : undefined));
    expect((await jobs.list({ queue: 'fails.dead', limit: 10 })).jobs).toEqual([]);
    expect(await jobs.retry(id)).toBe(false);
    expect(await jobs.retry('not an id')).toBe(false);
    expect(await jobs.retry('5d1a9a5e-0000-4000-8000-000000000000')).toBe(false);
  });

  it('does not double a waiting job of the same key', async () => {
    await jobs.define('keyed', QUICK);
    const key = 'library/alpine@sha256:0123456789abcdef';
    const ids = [
      await jobs.enqueue('keyed', { number: 1 }, { key, delaySeconds: 60 }),
      await jobs.enqueue('keyed', { number: 2 }, { key }),
      await jobs.enqueue('keyed', { number: 3 }, { key: 'another' }),
      await jobs.enqueue('keyed', { number: 4 }),
      await jobs.enqueue('keyed', { number: 5 }),
    ];
    expect(ids.map((id) => id !== null)).toEqual([true, false, true, true, true]);
  });

  it('takes a new job of a key while the one before runs', async () => {
    await jobs.define('running', QUICK);
    let finish = (): void => undefined;
    const numbers: unknown[] = [];
    await jobs.work('running', { concurrency: 1 }, async ({ payload }) => {
      numbers.push(payload['number']);
      if (numbers.length === 1) await new Promise<void>((resolve) => (finish = resolve));
    });
    await jobs.enqueue('running', { number: 1 }, { key: 'k' });
    jobs.wake('running');
    await until(() => (numbers.length === 1 ? true : undefined));
    expect(await jobs.enqueue('running', { number: 2 }, { key: 'k' })).not.toBeNull();
    expect(await jobs.enqueue('running', { number: 3 }, { key: 'k' })).toBeNull();
    finish();
    await until(() => (numbers.length === 2 ? true : undefined));
    expect(numbers).toEqual([1, 2]);
  });

  it('enqueues with the transaction, or not at all', async () => {
    await jobs.define('transactional', QUICK);
    let lost: string | null = null;
    await expect(
      withTransaction(database.db, async (transaction) => {
        lost = await jobs.enqueue('transactional', {}, { transaction });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    const kept = await withTransaction(database.db, (transaction) =>
      jobs.enqueue('transactional', {}, { transaction, key: 'k' }),
    );
    expect(lost).not.toBeNull();
    expect(await jobs.get(lost ?? '')).toBeUndefined();
    expect(await jobs.get(kept ?? '')).toMatchObject({ state: 'created', queue: 'transactional' });
  });

  it('takes higher priorities first and waits for delays', async () => {
    await jobs.define('ordered', QUICK);
    await jobs.enqueue('ordered', { number: 'late' }, { delaySeconds: 2 });
    await jobs.enqueue('ordered', { number: 'low' });
    await jobs.enqueue('ordered', { number: 'high' }, { priority: 5 });
    const order: unknown[] = [];
    await jobs.work('ordered', { concurrency: 1 }, async ({ payload }) => {
      order.push(payload['number']);
    });
    await until(() => (order.length === 3 ? true : undefined));
    expect(order).toEqual(['high', 'low', 'late']);
  });

  it('gives every job exactly once over its pages, newest first', async () => {
    await jobs.define('paged', QUICK);
    await withTransaction(database.db, async (transaction) => {
      // One transaction: all have the same time of creation.
      for (let number = 0; number < 25; number++) await jobs.enqueue('paged', { number }, { transaction });
    });
    await jobs.enqueue('paged', { number: 25 });
    const found: Job[] = [];
    let cursor: string | null = null;
    do {
      const page = await jobs.list({ queue: 'paged', limit: 10, ...(cursor === null ? {} : { cursor }) });
      found.push(...page.jobs);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(found.map((job) => job.payload['number']).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 26 }, (_, number) => number),
    );
    expect(found[0]?.payload).toEqual({ number: 25 });
    expect((await jobs.list({ queue: 'paged', state: 'active', limit: 10 })).jobs).toEqual([]);
    for (const cursor of ['x', Buffer.from('[1]').toString('base64url'), 'null']) {
      await expect(jobs.list({ limit: 1, cursor })).rejects.toMatchObject({ code: 'STORE_CURSOR_INVALID' });
    }
  });

  it('tells a queue that nobody defined', async () => {
    await expect(jobs.enqueue('nowhere', {})).rejects.toMatchObject({ code: 'STORE_JOB_QUEUE_UNKNOWN' });
  });

  it('may define a queue again with other options', async () => {
    await jobs.define('again', QUICK);
    await jobs.define('again', { ...QUICK, retryLimit: 7 });
    const id = await jobs.enqueue('again', {});
    expect(await jobs.get(id ?? '')).toMatchObject({ retryLimit: 7 });
  });
});

describe('jobs beside a database process that is killed', () => {
  it('are completed once it runs again', async () => {
    const place = await openTestPlace('');
    const database = await openDatabase({ ...place.options, logger: silentLogger() });
    const jobs = await openJobQueue({ database, logger: silentLogger() });
    await jobs.define('kill', { ...QUICK, expireSeconds: 3_600 });
    const ids = await Promise.all(Array.from({ length: 6 }, (_, number) => jobs.enqueue('kill', { number })));
    let kills = 0;
    await jobs.work('kill', { concurrency: 2 }, async ({ payload }) => {
      if (payload['number'] === 2 && kills++ === 0) process.kill(database.databasePid() ?? 0, 'SIGKILL');
    });
    jobs.wake('kill');
    for (const id of ids) {
      // While the process restarts, a look may meet a lost connection.
      const done = () =>
        jobs.get(id ?? '').then(
          (job) => job?.state === 'completed' || undefined,
          () => undefined,
        );
      await until(done, 60_000);
    }
    await jobs.stop(1_000);
    await database.close();
    await place.remove();
  });
});

describe('jobs of a server that was killed', () => {
  it('run again soon after the next start on the embedded store, or die when no retry is left', async () => {
    const place = await openTestPlace('');
    const options = { ...place.options, logger: silentLogger() };
    const database = await openDatabase(options);
    const jobs = await openJobQueue({ database, logger: silentLogger() });
    await jobs.define('scan', { ...QUICK, expireSeconds: 3_600 });
    const waiting = (await jobs.enqueue('scan', { number: 1 })) ?? '';
    const last = (await jobs.enqueue('scan', { number: 2 })) ?? '';
    // What the database holds when a server is killed while both run.
    await sql`
      update pgboss.job set state = 'active', started_on = now(), heartbeat_on = now(),
             retry_count = case when id = ${last}::uuid then retry_limit else 0 end
       where name = 'scan'`.execute(database.db);
    await jobs.stop(0);
    await database.close();

    const reopened = await openDatabase(options);
    const started = performance.now();
    const next = await openJobQueue({ database: reopened, logger: silentLogger() });
    await next.define('scan', { ...QUICK, expireSeconds: 3_600 });
    const numbers: unknown[] = [];
    await next.work('scan', { concurrency: 1 }, async ({ payload }) => {
      numbers.push(payload['number']);
    });
    await until(async () => ((await next.get(waiting))?.state === 'completed' ? true : undefined), 5_000);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(numbers).toEqual([1]);
    expect(await next.get(waiting)).toMatchObject({ retries: 1 });
    expect(await next.get(last)).toMatchObject({ state: 'failed' });
    expect((await next.list({ queue: 'scan.dead', limit: 5 })).jobs).toHaveLength(1);
    await next.stop(0);
    await reopened.close();
    await place.remove();
  });
});
