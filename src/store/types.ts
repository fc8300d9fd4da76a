// What the store offers to every other folder: the database, jobs, blobs, the journal and the audit trail.
import type { Readable, Writable } from 'node:stream';
import type { Kysely, Transaction } from 'kysely';

/**
 * The database handle. Each folder types it with the tables it owns: `store.db.withTables<RegistryTables>()`.
 * Rules (design.md decision 2a): short transactions, no network inside one, no session settings, no LISTEN,
 * no named prepared statements, at most `MAX_ROWS_PER_TRANSACTION` rows written in one.
 */
// biome-ignore lint: an empty table map is what `withTables` extends
export type Database = Kysely<Record<never, never>>;
export type DatabaseTransaction = Transaction<Record<never, never>>;

export interface Store {
  readonly kind: 'embedded' | 'server';
  readonly dataDirectory: string;
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly blobs: BlobDriver;
  readonly journal: Journal;
  readonly audit: AuditTrail;
  readonly invalidations: Invalidations;
  /** Process id of the embedded database, to report its memory; undefined with a database server. */
  databasePid(): number | undefined;
  /** Round trip to the database, for readiness. Rejects when it does not answer within two seconds. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Runs jobs at least once, with retries, exponential back-off and dead letters (pg-boss). */
export interface JobQueue {
  /** Declares a queue; call once at start, before `enqueue` and `work`. */
  define(name: string, options: JobQueueOptions): Promise<void>;
  /** Adds a job, in the caller's transaction if one is given. With `key`, a waiting job of that key is not doubled. */
  enqueue(name: string, payload: JobPayload, options?: EnqueueOptions): Promise<string | null>;
  /** Starts working a queue. The handler's rejection fails the job (retried, then dead-lettered). */
  work(name: string, options: WorkOptions, handler: JobHandler): Promise<void>;
  /** Makes this process look for work at once instead of at its next poll. */
  wake(name: string): void;
  list(filter: JobFilter): Promise<JobPage>;
  get(id: string): Promise<Job | undefined>;
  /** Puts a failed job back in its queue. Resolves false when there is no such failed job. */
  retry(id: string): Promise<boolean>;
  /** Stops taking work and waits for running handlers, at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export type JobPayload = Readonly<Record<string, unknown>>;

export interface JobQueueOptions {
  readonly retryLimit: number;
  /** First delay before a retry, in seconds; doubles each time. */
  readonly retryDelaySeconds: number;
  /** A job running longer than this is taken as lost and retried, in seconds. */
  readonly expireSeconds: number;
}

export interface EnqueueOptions {
  readonly transaction?: DatabaseTransaction;
  readonly key?: string;
  readonly delaySeconds?: number;
  readonly priority?: number;
}

export interface WorkOptions {
  readonly concurrency: number;
}

export type JobHandler = (job: {
  readonly id: string;
  readonly payload: JobPayload;
  readonly signal: AbortSignal;
}) => Promise<void>;

export type JobState = 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed';

export interface Job {
  readonly id: string;
  readonly queue: string;
  readonly state: JobState;
  readonly payload: JobPayload;
  readonly retries: number;
  readonly retryLimit: number;
  readonly error: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly deadLetter: boolean;
}

export interface JobFilter {
  readonly queue?: string;
  readonly state?: JobState;
  readonly limit: number;
  readonly cursor?: string;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  readonly nextCursor: string | null;
}

/**
 * Holds immutable objects under random ids; fit for a filesystem, S3 and Azure Blob.
 * An object is written once, front to back, and becomes readable when its writer has finished.
 */
export interface BlobDriver {
  readonly kind: string;
  /** Starts a new object, under a new random id; `id` (32 lower-case hexadecimal digits) is for restoring a backup. */
  create(id?: string): Promise<BlobWriter>;
  /** Re-opens an unfinished object, cut to `size` bytes (what was last made durable). */
  resume(id: string, size: number): Promise<BlobWriter>;
  /** Bytes of a finished or unfinished object, in order. `end` is inclusive; an `end` before `start` means no bytes. */
  read(id: string, range?: ByteRange): Promise<Readable>;
  /**
   * Sends bytes to a writable as fast as it takes them; the hot path of pulls. Resolves when all were handed over; does
   * not end the writable. Rejects when the writable closes first. Its `error` events are the caller's to listen to.
   */
  send(id: string, range: ByteRange, destination: Writable): Promise<void>;
  /** Size in bytes of a stored object, or undefined when there is none. */
  size(id: string): Promise<number | undefined>;
  /** Removes an object, finished or not. Removing what is not there is fine. */
  remove(id: string): Promise<void>;
  /** Every object, for finding those that nothing refers to. */
  list(): AsyncIterable<{ readonly id: string; readonly size: number; readonly modifiedAt: number }>;
}

/** Byte offsets, both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface BlobWriter {
  readonly id: string;
  /** Bytes taken so far. */
  readonly size: number;
  /** Takes a chunk; the promise resolves when the next may be given (back-pressure). */
  write(chunk: Buffer): Promise<void>;
  /** Makes what was written durable (fsync); a later `resume` finds at least this much. */
  sync(): Promise<void>;
  /** Makes the object and its directory entry durable and closes it. */
  finish(): Promise<void>;
  /** Closes without finishing; the bytes stay for `resume`. */
  suspend(): Promise<void>;
  /** Closes and removes. */
  abort(): Promise<void>;
}

/**
 * Append-only file that takes records off hot paths and imports them into SQL in batches (decision 2a).
 * A record is durable when its promise resolves; `append` without awaiting is allowed where loss of the last
 * moments is acceptable. Imported exactly once, also after a crash.
 */
export interface Journal {
  append(kind: string, record: Readonly<Record<string, unknown>>): Promise<void>;
  /** Registers the importer of a kind; called with at most `MAX_ROWS_PER_TRANSACTION` records in one transaction. */
  consume(kind: string, importer: JournalImporter): void;
  /** Imports everything appended so far. For tests, backup and shutdown. */
  drain(): Promise<void>;
}

export type JournalImporter = (
  records: readonly Readonly<Record<string, unknown>>[],
  transaction: DatabaseTransaction,
) => Promise<void>;

/** One thing somebody did. */
export interface AuditEntry {
  /** `manifest.push`, `manifest.pull`, `tag.delete`, `login.failed`, … */
  readonly action: string;
  /** Who, as the identity names itself; `anonymous` where nobody signed in. */
  readonly actor: string;
  /** What it was done to: `repository:tag`, `repository@digest`, a job id, … */
  readonly target: string;
  readonly result: 'success' | 'denied' | 'failure';
  /** Socket peer address. */
  readonly address: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditRecord extends AuditEntry {
  readonly id: string;
  readonly at: string;
  /** The sealed batch that holds the record, null while it is not sealed yet. */
  readonly seal: number | null;
}

/** Append-only trail; records are sealed in batches, each batch's hash covering its records and the hash before it. */
export interface AuditTrail {
  /** Writes a record in the caller's transaction. */
  record(transaction: DatabaseTransaction, entry: AuditEntry): Promise<void>;
  /** Writes a record through the journal: for hot paths and for what has no transaction. */
  append(entry: AuditEntry): void;
  list(filter: AuditFilter): Promise<AuditPage>;
  /** Seals what is not sealed yet; resolves to the number of records sealed. */
  seal(): Promise<number>;
  /** Recomputes every seal. */
  verify(): Promise<AuditVerdict>;
}

export interface AuditFilter {
  readonly action?: string;
  readonly actor?: string;
  readonly target?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  readonly nextCursor: string | null;
}

export type AuditVerdict =
  | { readonly intact: true; readonly seals: number; readonly records: number; readonly unsealed: number }
  | { readonly intact: false; readonly seal: number; readonly reason: string };

/**
 * Tells the caches of all processes on one database what changed, within a second.
 * Within the process that made the change the listener is called before `publish` resolves.
 */
export interface Invalidations {
  /** Writes invalidations in the transaction that makes the change. Call `apply` after the commit. */
  record(transaction: DatabaseTransaction, keys: readonly string[]): Promise<void>;
  /** Tells this process's listeners at once. */
  apply(keys: readonly string[]): void;
  /** Registers a listener of the keys that start with `prefix`. `*` keys mean "forget everything". */
  subscribe(prefix: string, listener: (key: string) => void): () => void;
  /** False while other processes' changes may have been missed for over a second: caches must be passed by. */
  current(): boolean;
}
