// The lease that keeps garbage collection away from stored objects while a backup reads them.
import { sql } from 'kysely';
import { describeError, type Logger, type Randomness } from '../core/index.ts';
import type { Database, DatabaseTransaction } from './types.ts';

/** Any constant: taking a hold waits for removals that are under way, and they for it. */
const HOLD_LOCK = 7_236_814;

/** A hold whose backup died ends by itself after this time. */
const HOLD_SECONDS = 600;
const RENEW_MS = 60_000;

/**
 * May rows of stored objects be deleted in this transaction? False while a backup runs.
 *
 * The contract with garbage collection: ask this first in each transaction that deletes rows naming stored objects
 * (blobs, uploads), and delete none when it says false; remove the objects themselves after the commit. Marking rows
 * as doomed is always allowed. A hold that is taken later waits for such transactions, so the backup sees either a
 * row whose object stays, or no row.
 */
export async function objectRemovalAllowed(transaction: DatabaseTransaction): Promise<boolean> {
  await sql`select pg_advisory_xact_lock_shared(${HOLD_LOCK})`.execute(transaction);
  const { rows } = await sql`select 1 from backup_hold where expires_at > now() limit 1`.execute(transaction);
  return rows.length === 0;
}

export interface BackupHold {
  /** Rejects when the hold could not be renewed in time: the backup may miss objects. */
  check(): void;
  release(): Promise<void>;
}

/** Takes a hold and renews it until it is released. */
export async function takeHold(db: Database, randomness: Randomness, logger: Logger): Promise<BackupHold> {
  const id = randomness.uuid();
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${HOLD_LOCK})`.execute(transaction);
    await sql`delete from backup_hold where expires_at < now()`.execute(transaction);
    await sql`insert into backup_hold (id, expires_at) values (${id}, ${expiry()})`.execute(transaction);
  });
  let renewedAt = performance.now();
  const timer = setInterval(() => {
    const started = performance.now();
    sql`update backup_hold set expires_at = ${expiry()} where id = ${id}`.execute(db).then(
      () => {
        renewedAt = started;
      },
      (error: unknown) =>
        logger.warn({ err: error }, `the backup hold was not renewed: ${describeError(error)}`),
    );
  }, RENEW_MS);
  timer.unref();
  return {
    check: () => {
      if (performance.now() - renewedAt > HOLD_SECONDS * 1_000)
        throw new Error('the hold on stored objects ran out');
    },
    release: async () => {
      clearInterval(timer);
      await sql`delete from backup_hold where id = ${id}`.execute(db);
    },
  };
}

function expiry() {
  return sql`now() + make_interval(secs => ${HOLD_SECONDS})`;
}
