// Tells the caches of all processes on one database what changed: a table, read by each process every half second.
import { sql } from 'kysely';
import { describeError, type Logger } from '../core/index.ts';
import type { OpenedDatabase } from './database.ts';
import type { DatabaseTransaction, Invalidations } from './types.ts';

const POLL_MS = 500;
/** Caches older than this may not be used. */
const CURRENT_MS = 1_000;
/** Rows are kept much longer than any transaction lasts. */
const KEPT_MINUTES = 10;
const LONGEST_GAP_MS = 5 * 60_000;
const CLEAN_MS = 60_000;

export interface OpenedInvalidations extends Invalidations {
  close(): Promise<void>;
}

/** Embedded store: this is the only process, so nothing is written and nothing is polled. */
export function localInvalidations(database: OpenedDatabase): OpenedInvalidations {
  const listeners = new Listeners();
  // A commit whose answer was lost may have taken place although its caller saw an error and told nobody.
  database.onRestart(() => listeners.tell(['*']));
  return {
    record: () => Promise.resolve(),
    apply: (keys) => listeners.tell(keys),
    subscribe: (prefix, listener) => listeners.add(prefix, listener),
    current: () => true,
    close: () => Promise.resolve(),
  };
}

/** Database server: starts polling. Resolves after the first successful poll. */
export async function sharedInvalidations(
  database: OpenedDatabase,
  logger: Logger,
): Promise<OpenedInvalidations> {
  const poller = new Poller(database, logger);
  await poller.poll();
  poller.start();
  return poller;
}

class Listeners {
  readonly #listeners = new Set<{ readonly prefix: string; readonly listener: (key: string) => void }>();

  add(prefix: string, listener: (key: string) => void): () => void {
    const entry = { prefix, listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  tell(keys: readonly string[]): void {
    for (const key of keys) {
      for (const { prefix, listener } of this.#listeners) {
        if (key === '*' || key.startsWith(prefix)) listener(key);
      }
    }
  }
}

class Poller implements OpenedInvalidations {
  readonly #database: OpenedDatabase;
  readonly #logger: Logger;
  readonly #listeners = new Listeners();
  /** Rows told already whose transaction id is not below the horizon yet. */
  #seen = new Set<number>();
  /** Every transaction below this id had ended when we last looked, so its rows were read. */
  #horizon: string | undefined;
  /** When the last successful poll began. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #cleanedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(database: OpenedDatabase, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  async record(transaction: DatabaseTransaction, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await sql`insert into invalidation (key) select unnest(${keys}::text[])`.execute(transaction);
  }

  apply(keys: readonly string[]): void {
    this.#listeners.tell(keys);
  }

  subscribe(prefix: string, listener: (key: string) => void): () => void {
    return this.#listeners.add(prefix, listener);
  }

  current(): boolean {
    return performance.now() - this.#lookedAt < CURRENT_MS;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#pollQuietly().finally(() => {
        this.#running = undefined;
      });
    }, POLL_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /**
   * Ids are not given in the order of commits, so "newer than the last row" would miss some. Instead everything from
   * the oldest transaction that was still running last time on is read again, and rows already told are skipped.
   */
  async poll(): Promise<void> {
    const began = performance.now();
    // Rows may have been removed meanwhile (the process or the database was suspended).
    if (this.#horizon !== undefined && began - this.#lookedAt > LONGEST_GAP_MS) this.#listeners.tell(['*']);
    const { rows } = await sql<{ horizon: string; id: number | null; key: string | null }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as horizon, fresh.id, fresh.key
        from (select 1) as always
        left join invalidation as fresh
          on fresh.txid >= coalesce(${this.#horizon ?? null}::text::xid8, pg_snapshot_xmin(pg_current_snapshot()))
       order by fresh.id`.execute(this.#database.db);
    const seen = new Set<number>();
    for (const { id, key } of rows) {
      if (id === null || key === null) continue;
      seen.add(id);
      if (!this.#seen.has(id)) this.#listeners.tell([key]);
    }
    this.#seen = seen;
    this.#horizon = rows[0]?.horizon;
    this.#lookedAt = began;
  }

  async #pollQuietly(): Promise<void> {
    try {
      await this.poll();
      if (performance.now() - this.#cleanedAt < CLEAN_MS) return;
      this.#cleanedAt = performance.now();
      await sql`delete from invalidation where at < now() - ${KEPT_MINUTES} * interval '1 minute'`.execute(
        this.#database.db,
      );
    } catch (error) {
      this.#logger.warn({ err: error }, `reading invalidations failed: ${describeError(error)}`);
    }
  }
}
