// What PostgreSQL's background workers would do: checkpoints, vacuum and analyze, when the session is free.
import type { PGlite } from '@electric-sql/pglite';
import { KiB, MiB } from '../../core/index.ts';
import type { SessionOwner } from './session-owner.ts';

export interface MaintenanceLimits {
  /** How often to look, in milliseconds. */
  readonly tickMs: number;
  /** Write-ahead log that may gather before a checkpoint, in bytes. */
  readonly checkpointBytes: number;
  /** After this time a checkpoint follows on little log already, in milliseconds. */
  readonly checkpointMs: number;
  /** Time between two tables vacuumed, in milliseconds; three times as long while the database is never idle. */
  readonly vacuumMs: number;
}

const LIMITS: MaintenanceLimits = {
  tickMs: 5_000,
  checkpointBytes: 48 * MiB,
  checkpointMs: 5 * 60_000,
  vacuumMs: 60_000,
};
const LEAST_CHECKPOINT_BYTES = 64 * KiB;

/** Starts the timer; the returned function stops it. Single-user mode has none of PostgreSQL's background workers. */
export function startMaintenance(
  pglite: PGlite,
  session: SessionOwner,
  notice: (text: string) => void,
  limits: MaintenanceLimits = LIMITS,
): () => void {
  let lastCheckpoint = performance.now();
  let lastVacuum = performance.now();

  const tick = async (): Promise<void> => {
    const now = performance.now();
    const busy = !session.idle;
    const gathered = await session.exclusive(() => walSinceCheckpoint(pglite));
    const enough =
      now - lastCheckpoint >= limits.checkpointMs ? LEAST_CHECKPOINT_BYTES : limits.checkpointBytes;
    if (gathered >= enough) {
      lastCheckpoint = now;
      await session.exclusive(() => pglite.exec('checkpoint'));
    }
    if (now - lastVacuum < limits.vacuumMs * (busy ? 3 : 1)) return;
    lastVacuum = now;
    await vacuumOneTable(pglite, session);
  };

  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    tick()
      .catch((error: unknown) => notice(`maintenance failed: ${String(error)}`))
      .finally(() => {
        running = false;
      });
  }, limits.tickMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function walSinceCheckpoint(pglite: PGlite): Promise<number> {
  const { rows } = await pglite.query<{ bytes: number }>(
    'select (pg_current_wal_lsn() - redo_lsn)::float8 as bytes from pg_control_checkpoint()',
  );
  return rows[0]?.bytes ?? 0;
}

/** One table at a time, the neediest first, with the thresholds that autovacuum has by default. */
async function vacuumOneTable(pglite: PGlite, session: SessionOwner): Promise<void> {
  const { rows } = await session.exclusive(() =>
    pglite.query<{ name: string; vacuum: boolean }>(
      `select format('%I.%I', schemaname, relname) as name, n_dead_tup > 50 + 0.2 * n_live_tup as vacuum
         from pg_stat_user_tables
        where n_dead_tup > 50 + 0.2 * n_live_tup or n_mod_since_analyze > 50 + 0.1 * n_live_tup
        order by n_dead_tup + n_mod_since_analyze desc limit 1`,
    ),
  );
  const table = rows[0];
  if (table === undefined) return;
  await session.exclusive(() =>
    pglite.exec(`${table.vacuum ? 'vacuum (analyze)' : 'analyze'} ${table.name}`),
  );
}
