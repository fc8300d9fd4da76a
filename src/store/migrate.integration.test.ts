// Migrations on both stores: applied once, several processes at once, all or nothing, newer databases refused.
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOnBothStores } from '../../test/fixtures/both-stores.ts';
import { silentLogger } from '../core/index.ts';
import { openDatabase, type OpenedDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import type { TestPlace } from './testing.ts';

const ONE = { name: '0001-one', statements: ['create table one (id int)'] };
const TWO = { name: '0002-two', statements: ['create table two (id int)', 'insert into two values (2)'] };

describeOnBothStores('migrate', (open) => {
  let place: TestPlace;
  let database: OpenedDatabase;

  beforeEach(async () => {
    place = await open();
    database = await openDatabase({ ...place.options, logger: silentLogger() });
  });
  afterEach(async () => {
    await database.close();
    await place.remove();
  });

  const tables = async (): Promise<unknown[]> => {
    const { rows } = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(database.db);
    return rows.map((row) => row.name);
  };

  it('applies all of ours, once', async () => {
    expect(await migrate(database.db)).toEqual(migrations.map((migration) => migration.name));
    expect(await migrate(database.db)).toEqual([]);
  });

  it('applies what is missing, in order', async () => {
    expect(await migrate(database.db, [ONE])).toEqual(['0001-one']);
    expect(await migrate(database.db, [ONE, TWO])).toEqual(['0002-two']);
    expect(await tables()).toEqual(['one', 'schema_migration', 'two']);
  });

  it('lets several processes start at once', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.db, [ONE, TWO])));
    expect(applied.flat().toSorted()).toEqual(['0001-one', '0002-two']);
  });

  it('keeps nothing of a migration that fails', async () => {
    const broken = { name: '0002-broken', statements: ['create table half (id int)', 'select 1 / 0'] };
    await expect(migrate(database.db, [ONE, broken, TWO])).rejects.toMatchObject({
      code: 'STORE_MIGRATION_FAILED',
      message: expect.stringContaining('0002-broken failed: division by zero'),
    });
    expect(await tables()).toEqual(['one', 'schema_migration']);
  });

  it('refuses a database that a newer version migrated', async () => {
    await migrate(database.db, [ONE, TWO]);
    await expect(migrate(database.db, [ONE])).rejects.toMatchObject({
      code: 'STORE_DATABASE_NEWER',
      message: expect.stringContaining('0002-two'),
    });
  });
});
