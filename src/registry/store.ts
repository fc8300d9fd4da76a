// Repositories, and what the SQL of this folder shares: retries and the kinds of database trouble.
import { BreakwaterError, systemErrorCode } from '../core/index.ts';
import { isConnectionError, withTransaction } from '../store/index.ts';
import type { Database, DatabaseTransaction } from '../store/index.ts';
import type { RegistryTables } from './tables.ts';

/** The identifier of a repository, or undefined when nothing was ever stored under the name. */
export async function findRepository(db: Database, name: string): Promise<number | undefined> {
  const row = await db
    .withTables<RegistryTables>()
    .selectFrom('registry_repository')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.id;
}

/** The identifier of a repository, which is made if need be: a push creates it. */
export async function ensureRepository(db: Database, name: string, at: Date): Promise<number> {
  const known = await findRepository(db, name);
  if (known !== undefined) return known;
  const tables = db.withTables<RegistryTables>();
  const made = await tables
    .insertInto('registry_repository')
    .values({ name, created_at: at })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (made !== undefined) return made.id;
  const other = await tables
    .selectFrom('registry_repository')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return other.id;
}

const RETRIED_STATES = new Set(['40001', '40P01']);
const ATTEMPTS = 4;

/** Runs a transaction, again when the database ended it for a deadlock or a serialization failure: nothing was kept then. */
export async function inTransaction<T>(
  db: Database,
  work: (transaction: DatabaseTransaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await withTransaction(db, work);
    } catch (error) {
      const state = sqlState(error);
      if (attempt >= ATTEMPTS || state === undefined || !RETRIED_STATES.has(state)) throw error;
    }
  }
}

/** The five-character SQLSTATE of a database error. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

// Connection trouble, shutdown, resources, locks: what a later attempt may not meet.
const TRANSIENT_CLASSES = ['08', '57', '53', '55', '40'];

/** Is this the database being away or overloaded, rather than a fault of the request or of ours? */
export function isDatabaseTrouble(error: unknown): boolean {
  if (error instanceof BreakwaterError) return error.status === 503;
  const state = sqlState(error);
  if (state !== undefined) return TRANSIENT_CLASSES.includes(state.slice(0, 2));
  return isConnectionError(error);
}

const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Is this the storage being full, for bytes or for the database? */
export function isStorageFull(error: unknown): boolean {
  const code = systemErrorCode(error);
  return (code !== undefined && FULL_CODES.has(code)) || sqlState(error) === '53100';
}
