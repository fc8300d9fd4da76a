// Applies the numbered migrations: forward only, one transaction each, several processes at once allowed.
import { sql } from 'kysely';
import { describeError } from '../core/index.ts';
import { storeErrors } from './errors.ts';
import type { Migration } from './migration.ts';
import { migrations as ours } from './migrations/index.ts';
import { withTransaction } from './database.ts';
import type { Database, DatabaseTransaction } from './types.ts';

/** Any constant: names the advisory lock that makes migrating processes take turns. */
const MIGRATION_LOCK = 7_236_812;

/**
 * Brings the database up to date; resolves to the names applied now.
 * Rejects with STORE_DATABASE_NEWER when it holds migrations that this version does not know.
 */
export async function migrate(
  db: Database,
  migrations: readonly Migration[] = ours,
): Promise<readonly string[]> {
  await refuseNewer(db, migrations);
  const applied: string[] = [];
  for (const migration of migrations) {
    if (await withTransaction(db, (transaction) => apply(transaction, migration)))
      applied.push(migration.name);
  }
  return applied;
}

async function refuseNewer(db: Database, migrations: readonly Migration[]): Promise<void> {
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = await withTransaction(db, async (transaction) => {
    await lockAndPrepare(transaction);
    const { rows } = await sql<{ name: string }>`select name from schema_migration order by name`.execute(
      transaction,
    );
    return rows.map((row) => row.name).filter((name) => !known.has(name));
  });
  if (unknown.length > 0) {
    throw storeErrors.create('STORE_DATABASE_NEWER', { names: unknown.join(', ') });
  }
}

async function apply(transaction: DatabaseTransaction, migration: Migration): Promise<boolean> {
  await lockAndPrepare(transaction);
  const { rows } = await sql`select 1 from schema_migration where name = ${migration.name}`.execute(
    transaction,
  );
  if (rows.length > 0) return false;
  try {
    for (const statement of migration.statements) await sql.raw(statement).execute(transaction);
  } catch (error) {
    throw storeErrors.create(
      'STORE_MIGRATION_FAILED',
      { name: migration.name, reason: describeError(error) },
      error,
    );
  }
  await sql`insert into schema_migration (name) values (${migration.name})`.execute(transaction);
  return true;
}

async function lockAndPrepare(transaction: DatabaseTransaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK}::bigint)`.execute(transaction);
  await sql`create table if not exists schema_migration (
    name text primary key,
    applied_at timestamptz not null default now()
  )`.execute(transaction);
}
