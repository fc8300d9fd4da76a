// Opens the store: database, migrations, jobs, blobs, journal, audit trail and invalidations, composed.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeError,
  Gauge,
  type Clock,
  type Logger,
  type Metrics,
  type Randomness,
} from '../core/index.ts';
import { createAuditTrail } from './audit.ts';
import { createFilesystemBlobDriver } from './blobs/filesystem.ts';
import { openDatabase, type OpenedDatabase } from './database.ts';
import { localInvalidations, sharedInvalidations } from './invalidations.ts';
import { openJobQueue } from './job-queue.ts';
import { createJournal } from './journal.ts';
import { migrate } from './migrate.ts';
import type { Store } from './types.ts';

export interface StoreOptions {
  /** Holds the embedded database, blobs and journal. Created with mode 0700 when missing. */
  readonly dataDirectory: string;
  /** `postgres://…` of PostgreSQL 15 or newer; without it the embedded database is used. */
  readonly databaseUrl?: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics?: Metrics;
  /** An initialised database folder to start from; for tests. */
  readonly template?: string;
}

/** How long `close` waits for running jobs, when the queue was not stopped before, in milliseconds. */
const CLOSE_GRACE_MS = 5_000;

/**
 * Opens the store and brings its database up to date. Rejects with a coded error, leaving nothing running:
 * STORE_LOCKED, STORE_LOCK_TIMEOUT, STORE_EMBEDDED_FAILED, STORE_NOT_DURABLE, STORE_DATABASE_UNREACHABLE,
 * STORE_DATABASE_TOO_OLD, STORE_DATABASE_NEWER, STORE_MIGRATION_FAILED. Whoever serves it asks `isRestoreUnfinished` first.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 });
  const opened: { close(): Promise<unknown> }[] = [];
  const closeAll = async (): Promise<void> => {
    for (let part = opened.pop(); part !== undefined; part = opened.pop()) {
      // One part that fails to close must not keep the database process and its lock.
      await part.close().catch((error: unknown) => {
        options.logger.error({ err: error }, `closing the store: ${describeError(error)}`);
      });
    }
  };
  try {
    const database = await openDatabase(options);
    opened.push(database);
    await migrate(database.db);
    const { dataDirectory, logger, clock, randomness } = options;
    const invalidations =
      database.kind === 'embedded'
        ? localInvalidations(database)
        : await sharedInvalidations(database, logger);
    opened.push(invalidations);
    const journal = await createJournal({
      directory: join(dataDirectory, 'journal'),
      db: database.db,
      logger,
      randomness,
    });
    opened.push(journal);
    const audit = createAuditTrail({ db: database.db, journal, clock, logger });
    opened.push(audit);
    audit.start();
    const jobs = await openJobQueue({ database, logger });
    opened.push({ close: () => jobs.stop(CLOSE_GRACE_MS) });
    if (options.metrics !== undefined) measureConnections(database, options.metrics);
    return {
      kind: database.kind,
      dataDirectory,
      db: database.db,
      jobs,
      blobs: createFilesystemBlobDriver({ directory: join(dataDirectory, 'blobs'), randomness }),
      journal,
      audit,
      invalidations,
      databasePid: () => database.databasePid(),
      ping: () => database.ping(),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function measureConnections(database: OpenedDatabase, metrics: Metrics): void {
  const gauge = new Gauge({
    name: 'breakwater_database_connections',
    help: 'Connections to the database by state; waiting counts callers without one.',
    labelNames: ['state'],
    registers: [metrics],
    collect: () => {
      for (const [state, count] of Object.entries(database.connections())) gauge.set({ state }, count);
    },
  });
}
