// The audit trail: append-only records, sealed in batches whose hashes form a chain.
import { sql } from 'kysely';
import { z } from 'zod';
import { describeError, MAX_ROWS_PER_TRANSACTION, type Clock, type Logger } from '../core/index.ts';
import { encodeEntry, recordSchema, type EncodedEntry } from './audit-entry.ts';
import { FIRST_PREVIOUS, SEALED_COLUMNS, sealHash, type SealedRecord } from './audit-seal.ts';
import { verifySeals } from './audit-verify.ts';
import { storeErrors } from './errors.ts';
import type {
  AuditEntry,
  AuditFilter,
  AuditPage,
  AuditTrail,
  AuditVerdict,
  Database,
  DatabaseTransaction,
  Journal,
} from './types.ts';

/** Records of one seal: one row of the transaction is the seal itself. */
const MOST_RECORDS = MAX_ROWS_PER_TRANSACTION - 1;

/** Any constant: names the advisory lock under which one process at a time seals. */
const SEAL_LOCK = 7_236_813;

const JOURNAL_KIND = 'audit';
const SEAL_INTERVAL_MS = 10_000;
const MAX_PAGE = 500;

export interface AuditTrailOptions {
  readonly db: Database;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between two sealings once started; 10 s unless given. */
  readonly sealIntervalMs?: number;
}

export interface ClosableAuditTrail extends AuditTrail {
  /** Seals by a timer from now on. */
  start(): void;
  /** Stops the timer and waits for a running sealing. */
  close(): Promise<void>;
}

/**
 * Records come by `record` (in the caller's transaction) or by `append` (through the journal, with the time of the
 * call). A seal names its records one by one, so it does not matter that a transaction with a lower id may commit
 * later: its record goes to the next seal. The log line of each seal carries its hash, as a witness outside the database.
 */
export function createAuditTrail(options: AuditTrailOptions): ClosableAuditTrail {
  return new SqlAuditTrail(options);
}

class SqlAuditTrail implements ClosableAuditTrail {
  readonly #options: AuditTrailOptions;
  #timer: NodeJS.Timeout | undefined;
  #sealing: Promise<number> | undefined;
  #lost = 0;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    options.journal.consume(JOURNAL_KIND, (records, transaction) =>
      insertRecords(
        transaction,
        records.map((record) => recordSchema.parse(record)),
      ),
    );
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#reportLost();
      this.seal().catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, `sealing the audit trail failed: ${describeError(error)}`);
      });
    }, this.#options.sealIntervalMs ?? SEAL_INTERVAL_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#reportLost();
    await this.#sealing?.catch(() => undefined);
  }

  async record(transaction: DatabaseTransaction, entry: AuditEntry): Promise<void> {
    await insertRecords(transaction, [encodeEntry(entry, this.#options.clock.now())]);
  }

  append(entry: AuditEntry): void {
    this.#options.journal
      .append(JOURNAL_KIND, { ...encodeEntry(entry, this.#options.clock.now()) })
      .catch((error: unknown) => {
        if (this.#lost === 0) {
          this.#options.logger.error({ err: error }, `an audit record was lost: ${describeError(error)}`);
        }
        this.#lost += 1;
      });
  }

  async list(filter: AuditFilter): Promise<AuditPage> {
    const limit = Math.min(Math.max(1, Math.trunc(filter.limit)), MAX_PAGE);
    const conditions = [sql`true`];
    if (filter.action !== undefined) conditions.push(sql`action = ${filter.action}`);
    if (filter.actor !== undefined) conditions.push(sql`actor = ${filter.actor}`);
    if (filter.target !== undefined) conditions.push(sql`target = ${filter.target}`);
    if (filter.cursor !== undefined) conditions.push(sql`id < ${parseCursor(filter.cursor)}`);
    const { rows } = await sql<ListedRow>`
      select id::text as id, at, action, actor, target, result, address, detail, seal
      from audit_record where ${sql.join(conditions, sql` and `)}
      order by audit_record.id desc limit ${limit + 1}`.execute(this.#options.db);
    const records = rows.slice(0, limit).map(({ at, detail, result, ...row }) => ({
      ...row,
      at: at.toISOString(),
      result: resultSchema.parse(result),
      ...(detail === null ? {} : { detail: detailSchema.parse(JSON.parse(detail)) }),
    }));
    return { records, nextCursor: rows.length > limit ? (records.at(-1)?.id ?? null) : null };
  }

  seal(): Promise<number> {
    this.#sealing ??= this.#sealAll().finally(() => {
      this.#sealing = undefined;
    });
    return this.#sealing;
  }

  verify(): Promise<AuditVerdict> {
    return verifySeals(this.#options.db);
  }

  async #sealAll(): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await this.#options.db
        .transaction()
        .execute((transaction) => this.#sealBatch(transaction));
      total += count;
      if (count < MOST_RECORDS) return total;
    }
  }

  async #sealBatch(transaction: DatabaseTransaction): Promise<number> {
    await sql`select pg_advisory_xact_lock(${SEAL_LOCK})`.execute(transaction);
    const { rows: records } = await sql<SealedRecord>`
      select ${SEALED_COLUMNS} from audit_record where seal is null
      order by audit_record.id limit ${MOST_RECORDS}`.execute(transaction);
    if (records.length === 0 || (await restoreRuns(transaction))) return 0;
    const { rows: last } = await sql<{ number: number; hash: Buffer }>`
      select number, hash from audit_seal order by number desc limit 1`.execute(transaction);
    const number = (last[0]?.number ?? 0) + 1;
    const previous = last[0]?.hash ?? FIRST_PREVIOUS;
    // Milliseconds, written with the microseconds that the database will give back.
    const sealedAt = new Date(this.#options.clock.now()).toISOString().replace('Z', '000Z');
    const hash = sealHash(number, sealedAt, previous, records);
    await sql`
      update audit_record set seal = ${number}
      where id = any(${records.map((record) => record.id)}::bigint[])`.execute(transaction);
    await sql`
      insert into audit_seal (number, records, previous, hash, sealed_at)
      values (${number}, ${records.length}, ${previous}, ${hash}, ${sealedAt}::timestamptz)`.execute(
      transaction,
    );
    this.#options.logger.info(
      { seal: number, records: records.length, hash: hash.toString('hex') },
      'sealed a batch of the audit trail',
    );
    return records.length;
  }

  #reportLost(): void {
    if (this.#lost === 0) return;
    this.#options.logger.error({ lost: this.#lost }, `${this.#lost} audit records were lost`);
    this.#lost = 0;
  }
}

const resultSchema = z.enum(['success', 'denied', 'failure']);
const detailSchema = z.record(z.string(), z.unknown());

interface ListedRow {
  readonly id: string;
  readonly at: Date;
  readonly action: string;
  readonly actor: string;
  readonly target: string;
  readonly result: string;
  readonly address: string | null;
  readonly detail: string | null;
  readonly seal: number | null;
}

/** While a backup is being restored the seals are not all there yet. */
async function restoreRuns(transaction: DatabaseTransaction): Promise<boolean> {
  const { rows } = await sql`select 1 from restore_unfinished limit 1`.execute(transaction);
  return rows.length > 0;
}

async function insertRecords(
  transaction: DatabaseTransaction,
  entries: readonly EncodedEntry[],
): Promise<void> {
  const column = <Key extends keyof EncodedEntry>(key: Key): EncodedEntry[Key][] =>
    entries.map((entry) => entry[key]);
  await sql`
    insert into audit_record (at, action, actor, target, result, address, detail)
    select * from unnest(
      ${column('at')}::timestamptz[], ${column('action')}::text[], ${column('actor')}::text[],
      ${column('target')}::text[], ${column('result')}::text[], ${column('address')}::text[],
      ${column('detail')}::text[])`.execute(transaction);
}

function parseCursor(cursor: string): string {
  if (!/^\d{1,18}$/.test(cursor)) throw storeErrors.create('STORE_CURSOR_INVALID');
  return cursor;
}
