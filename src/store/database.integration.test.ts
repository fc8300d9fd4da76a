// The database handle on both stores: types, errors with codes, transactions, recovery of lost connections.
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeOnBothStores, describeOnServer } from '../../test/fixtures/both-stores.ts';
import { silentLogger } from '../core/index.ts';
import { isConnectionError, openDatabase, withTransaction, type OpenedDatabase } from './database.ts';
import type { TestPlace } from './testing.ts';

describeOnBothStores('openDatabase', (open, kind) => {
  let place: TestPlace;
  let database: OpenedDatabase;

  beforeAll(async () => {
    place = await open();
    database = await openDatabase({ ...place.options, logger: silentLogger() });
    await sql`create table thing (id bigint primary key, at timestamptz default now())`.execute(database.db);
  });
  afterAll(async () => {
    await database.close();
    await place.remove();
  });

  it('tells what it is', async () => {
    expect(database.kind).toBe(kind);
    expect(typeof database.databasePid()).toBe(kind === 'embedded' ? 'number' : 'undefined');
    await database.ping();
  });

  it('gives bigint as number and refuses one that does not fit', async () => {
    const { rows } = await sql`select 9007199254740991::bigint as most, count(*) as none from thing`.execute(
      database.db,
    );
    expect(rows).toEqual([{ most: 9_007_199_254_740_991, none: 0 }]);
    await expect(sql`select 9007199254740992::bigint`.execute(database.db)).rejects.toThrow(RangeError);
    await database.ping();
  });

  it('commits what resolves and rolls back what rejects', async () => {
    await withTransaction(database.db, async (transaction) => {
      await sql`insert into thing (id) values (1)`.execute(transaction);
    });
    await expect(
      withTransaction(database.db, async (transaction) => {
        await sql`insert into thing (id) values (2)`.execute(transaction);
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    const { rows } = await sql`select id from thing`.execute(database.db);
    expect(rows).toEqual([{ id: 1 }]);
  });

  it('serves more callers than it has connections', async () => {
    const sums = await Promise.all(
      Array.from({ length: 60 }, (_, number) =>
        withTransaction(database.db, async (transaction) => {
          const { rows } = await sql<{ sum: number }>`select ${number}::int + 1 as sum`.execute(transaction);
          return rows[0]?.sum;
        }),
      ),
    );
    expect(sums).toEqual(Array.from({ length: 60 }, (_, number) => number + 1));
    expect(database.connections().waiting).toBe(0);
  });

  it('keeps a statement that fails apart from the next one', async () => {
    await expect(database.query('begin; select 1/0; commit')).rejects.toThrow('division by zero');
    expect((await database.query('select count(*) from thing')).rows).toEqual([{ count: '1' }]);
  });
});

describeOnServer('a lost connection', (open) => {
  it('is survived by transactions that had not begun, and told to those that had', async () => {
    const place = await open();
    const database = await openDatabase({ ...place.options, logger: silentLogger() });
    const other = await openDatabase({ ...place.options, logger: silentLogger() });
    const cut = async (): Promise<void> => {
      await other.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      );
    };
    await database.ping();
    await cut();
    expect(await withTransaction(database.db, () => Promise.resolve('begun'))).toBe('begun');
    let runs = 0;
    const broken = withTransaction(database.db, async (transaction) => {
      runs++;
      await cut();
      await sql`select 1`.execute(transaction);
    });
    const error: unknown = await broken.catch((reason: unknown) => reason);
    expect(isConnectionError(error)).toBe(true);
    expect(runs).toBe(1);
    await database.close();
    await other.close();
    await place.remove();
  });
});

describe('a server that is not there', () => {
  it('is an error with a code', async () => {
    const opening = openDatabase({
      dataDirectory: '/nonexistent',
      databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
      logger: silentLogger(),
    });
    await expect(opening).rejects.toMatchObject({ code: 'STORE_DATABASE_UNREACHABLE', exit: 3 });
  });
});
