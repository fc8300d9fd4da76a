// The database handle: Kysely over a `pg` pool, on the embedded database's socket or on a PostgreSQL server.
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { describeError, systemErrorCode, type Logger } from '../core/index.ts';
import { openEmbedded, type Embedded } from './embedded/index.ts';
import { storeErrors } from './errors.ts';
import type { Database, DatabaseTransaction } from './types.ts';

const MIN_SERVER_VERSION = 150_000;
/** PGlite runs one statement at a time; a few connections keep its queue filled, more only wait. */
const EMBEDDED_CONNECTIONS = 6;
const SERVER_CONNECTIONS = 12;
/** Longest wait for a connection, queueing included. */
const CONNECT_LIMIT_MS = 30_000;
const PING_LIMIT_MS = 2_000;
/** How long a new connection is tried again while the database restarts. */
const RECONNECT_LIMIT_MS = 10_000;

export interface OpenedDatabase {
  readonly kind: 'embedded' | 'server';
  readonly db: Database;
  /** Runs one statement with plain `pg` types, outside any transaction: for pg-boss. */
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  databasePid(): number | undefined;
  /** Calls the listener after each restart of the embedded database: what was under way may or may not be committed. */
  onRestart(listener: () => void): void;
  /** Connections in use, idle, and callers waiting for one. */
  connections(): { readonly busy: number; readonly idle: number; readonly waiting: number };
  /** Rejects with STORE_DATABASE_UNREACHABLE when there is no answer within two seconds. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly dataDirectory: string;
  /** `postgres://…`; without it the embedded database of the data directory is used. */
  readonly databaseUrl?: string;
  readonly logger: Logger;
  /** See {@link openEmbedded}. */
  readonly template?: string;
}

/**
 * Opens the database. Values come back as `pg` gives them, but `bigint` (int8) columns as JavaScript numbers:
 * ours stay below 2^53. Rejects with a coded error when it is locked, unreachable or older than PostgreSQL 15.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenedDatabase> {
  const restartListeners: (() => void)[] = [];
  const onRestart = (): void => restartListeners.forEach((listener) => listener());
  const embedded =
    options.databaseUrl === undefined ? await openEmbedded({ ...options, onRestart }) : undefined;
  const pool = new pg.Pool({
    ...(embedded === undefined
      ? { connectionString: options.databaseUrl, max: SERVER_CONNECTIONS }
      : {
          host: embedded.socketDirectory,
          user: 'postgres',
          database: 'postgres',
          max: EMBEDDED_CONNECTIONS,
        }),
    application_name: 'breakwater',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    types: { getTypeParser },
  });
  quietErrors(pool, options.logger);
  const close = async (): Promise<void> => {
    await pool.end();
    await embedded?.close();
  };
  try {
    await checkVersion(pool);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: embedded === undefined ? 'server' : 'embedded',
    db: new Kysely<Record<never, never>>({
      dialect: new PostgresDialect({ pool: patientPool(pool, embedded) }),
    }),
    query: (text, values) => plainQuery(pool, embedded, text, values),
    databasePid: () => embedded?.pid(),
    onRestart: (listener) => restartListeners.push(listener),
    connections: () => ({
      busy: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    ping: () => ping(pool),
    close,
  };
}

/**
 * Runs a transaction, again when it could not begin because the connection was lost. Once begun it is never
 * repeated: whether a commit whose answer got lost took place is not known.
 */
export async function withTransaction<T>(
  db: Database,
  run: (transaction: DatabaseTransaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let begun = false;
    try {
      return await db.transaction().execute((transaction) => {
        begun = true;
        return run(transaction);
      });
    } catch (error) {
      if (begun || attempt === 3 || !isConnectionError(error)) throw error;
    }
  }
}

/** Was the connection refused or lost (and not the statement wrong)? */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = systemErrorCode(error);
  if (code !== undefined) return ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'].includes(code);
  // Class 08: connection exception; 57P01–57P03: the server is stopping or starting.
  if (error instanceof pg.DatabaseError) return /^(08|57P0[123])/.test(error.code ?? '');
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying)/.test(
    error.message,
  );
}

/** Did the database refuse text that it cannot hold: a NUL character, which no name or filter of a client may have? */
export function isUnstorableText(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '22021';
}

/** Takes a connection, waiting while the embedded database restarts. */
async function connect(pool: pg.Pool, embedded: Embedded | undefined): Promise<pg.PoolClient> {
  const deadline = performance.now() + RECONNECT_LIMIT_MS;
  for (;;) {
    await embedded?.running(deadline - performance.now());
    try {
      return await pool.connect();
    } catch (error) {
      if (embedded === undefined || !isConnectionError(error) || performance.now() > deadline) {
        throw storeErrors.create('STORE_DATABASE_UNREACHABLE', { reason: describeError(error) }, error);
      }
      // The process may have died before its end was noticed here.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function plainQuery(
  pool: pg.Pool,
  embedded: Embedded | undefined,
  text: string,
  values: unknown[] | undefined,
): Promise<{ rows: unknown[] }> {
  const client = await connect(pool, embedded);
  let healthy = false;
  try {
    const result: { rows: unknown[] } = await client.query({
      text,
      ...(values === undefined ? {} : { values }),
      types: pg.types,
    });
    healthy = true;
    return result;
  } finally {
    // A failure inside a text of several statements leaves a transaction open: the connection is closed then.
    client.release(!healthy);
  }
}

function patientPool(pool: pg.Pool, embedded: Embedded | undefined): PostgresPool {
  return {
    options: pool.options,
    connect: (): Promise<PostgresPoolClient> => connect(pool, embedded),
    // The pool is closed by OpenedDatabase.close, after everything that uses it.
    end: () => Promise.resolve(),
  };
}

/** A lost connection is reported to whoever uses it; without listeners it would end the process. */
function quietErrors(pool: pg.Pool, logger: Logger): void {
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle database connection was lost'));
  pool.on('connect', (client) => client.on('error', () => undefined));
}

async function checkVersion(pool: pg.Pool): Promise<void> {
  let answer: { rows: { number: number; version: string }[] };
  try {
    answer = await pool.query(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
    );
  } catch (error) {
    throw storeErrors.create('STORE_DATABASE_UNREACHABLE', { reason: describeError(error) }, error);
  }
  const [row] = answer.rows;
  if (row === undefined || row.number < MIN_SERVER_VERSION) {
    throw storeErrors.create('STORE_DATABASE_TOO_OLD', { version: row?.version ?? 'unknown' });
  }
}

async function ping(pool: pg.Pool): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PING_LIMIT_MS} ms`)), PING_LIMIT_MS);
  });
  try {
    await Promise.race([pool.query('select 1'), late]);
  } catch (error) {
    throw storeErrors.create('STORE_DATABASE_UNREACHABLE', { reason: describeError(error) }, error);
  } finally {
    clearTimeout(timer);
  }
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === pg.types.builtins.INT8 && format !== 'binary') return parseInt8;
  return pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text');
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a number`);
  return value;
}
