// Invalidations: at once in the process itself, within a second in others, none missed whatever the order of commits.
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeOnServer } from '../../test/fixtures/both-stores.ts';
import { silentLogger } from '../core/index.ts';
import { openDatabase, withTransaction, type OpenedDatabase } from './database.ts';
import { localInvalidations, sharedInvalidations, type OpenedInvalidations } from './invalidations.ts';
import { migrate } from './migrate.ts';
import { openTestPlace, type TestPlace } from './testing.ts';

describeOnServer('sharedInvalidations', (open) => {
  let place: TestPlace;
  const databases: OpenedDatabase[] = [];
  const opened: OpenedInvalidations[] = [];

  async function openProcess(): Promise<{ database: OpenedDatabase; invalidations: OpenedInvalidations }> {
    const database = await openDatabase({ ...place.options, logger: silentLogger() });
    databases.push(database);
    await migrate(database.db);
    const invalidations = await sharedInvalidations(database, silentLogger());
    opened.push(invalidations);
    return { database, invalidations };
  }

  beforeEach(async () => {
    place = await open();
  });
  afterEach(async () => {
    for (const invalidations of opened.splice(0)) await invalidations.close();
    for (const database of databases.splice(0)) await database.close();
    await place.remove();
  });

  it('tells another process within a second, by prefix, once', async () => {
    const writer = await openProcess();
    const reader = await openProcess();
    const tags: string[] = [];
    const all: string[] = [];
    reader.invalidations.subscribe('tag:', (key) => tags.push(key));
    reader.invalidations.subscribe('', (key) => all.push(key));
    const started = performance.now();
    await withTransaction(writer.database.db, (transaction) =>
      writer.invalidations.record(transaction, ['tag:a', 'manifest:b', "tag:it's"]),
    );
    while (all.length < 3 && performance.now() - started < 5_000) await sleep(5);
    expect(performance.now() - started).toBeLessThan(1_000);
    await sleep(1_200);
    expect(tags).toEqual(['tag:a', "tag:it's"]);
    expect(all).toEqual(['tag:a', 'manifest:b', "tag:it's"]);
    expect(reader.invalidations.current()).toBe(true);
  });

  it('does not tell what was rolled back', async () => {
    const { database, invalidations } = await openProcess();
    const keys: string[] = [];
    invalidations.subscribe('', (key) => keys.push(key));
    await withTransaction(database.db, async (transaction) => {
      await invalidations.record(transaction, ['never']);
      throw new Error('changed my mind');
    }).catch(() => undefined);
    await sleep(1_200);
    expect(keys).toEqual([]);
  });

  it('does not miss a transaction that began first and committed last', async () => {
    const writer = await openProcess();
    const reader = await openProcess();
    const keys: string[] = [];
    reader.invalidations.subscribe('', (key) => keys.push(key));
    await withTransaction(writer.database.db, async (slow) => {
      await writer.invalidations.record(slow, ['slow']);
      for (let number = 0; number < 3; number++) {
        await withTransaction(writer.database.db, (quick) =>
          writer.invalidations.record(quick, [`quick ${number}`]),
        );
        await sleep(600);
      }
    });
    await sleep(1_000);
    expect(keys).toEqual(['quick 0', 'quick 1', 'quick 2', 'slow']);
  });

  it('tells its own process at once and admits when others can no longer be heard', async () => {
    const { database, invalidations } = await openProcess();
    const keys: string[] = [];
    const end = invalidations.subscribe('', (key) => keys.push(key));
    invalidations.apply(['a']);
    end();
    invalidations.apply(['b']);
    expect(keys).toEqual(['a']);
    expect(invalidations.current()).toBe(true);
    await withTransaction(database.db, async (transaction) => {
      await sql`lock table invalidation in access exclusive mode`.execute(transaction);
      await sleep(2_000);
      expect(invalidations.current()).toBe(false);
    });
    await sleep(700);
    expect(invalidations.current()).toBe(true);
  });
});

describe('localInvalidations', () => {
  it('forgets everything after the database process restarted', async () => {
    const place = await openTestPlace('');
    const database = await openDatabase({ ...place.options, logger: silentLogger() });
    const invalidations = localInvalidations(database);
    const keys: string[] = [];
    invalidations.subscribe('tag:', (key) => keys.push(key));
    invalidations.apply(['tag:a', 'manifest:b']);
    expect(keys).toEqual(['tag:a']);
    process.kill(database.databasePid() ?? 0, 'SIGKILL');
    for (let waited = 0; keys.length < 2 && waited < 10_000; waited += 50) await sleep(50);
    expect(keys).toEqual(['tag:a', '*']);
    expect(invalidations.current()).toBe(true);
    await database.close();
    await place.remove();
  });
});
