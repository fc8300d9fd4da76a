// Imports one journal folder into SQL, exactly once: its position moves in the transaction that takes the records.
import { rm } from 'node:fs/promises';
import { sql } from 'kysely';
import { describeError, MAX_ROWS_PER_TRANSACTION, type Logger } from '../core/index.ts';
import { isConnectionError } from './database.ts';
import { storeErrors } from './errors.ts';
import type { JournalFrame, JournalRecord } from './journal-frame.ts';
import { listSegments, readRun, removeSegment, segmentPath, type FrameRun } from './journal-segment.ts';
import type { Database, DatabaseTransaction, JournalImporter } from './types.ts';

/** One row of a transaction is the position itself. */
const MOST_RECORDS = MAX_ROWS_PER_TRANSACTION - 1;

/** Failures of a batch before its records are tried one by one, and of one record before it is put aside. */
const MOST_FAILURES = 3;

export interface JournalSourceOptions {
  /** The folder's name: a random id. */
  readonly instance: string;
  readonly directory: string;
  /** How far a folder still being written may be read; undefined for one that nobody writes any more. */
  readonly durable?: () => { readonly segment: number; readonly size: number };
  readonly db: Database;
  readonly importers: ReadonlyMap<string, JournalImporter>;
  /** True while records of kinds without an importer wait for one to be registered. */
  readonly waitForImporters: () => boolean;
  readonly logger: Logger;
}

interface Position {
  readonly segment: number;
  readonly position: number;
  readonly sequence: number;
}

/** `imported`: there may be more · `done`: nothing more to read now · `held`: waits for an importer. */
export type ImportStep = 'imported' | 'done' | 'held';

export class JournalSource {
  readonly instance: string;
  readonly #options: JournalSourceOptions;
  #position: Position | undefined;
  #failures = 0;
  /** Records left to try one by one after a batch failed again and again. */
  #oneByOne = 0;

  constructor(options: JournalSourceOptions) {
    this.instance = options.instance;
    this.#options = options;
  }

  /** Imports the next batch. Rejects with STORE_JOURNAL_IMPORT; the next call tries again. */
  async step(): Promise<ImportStep> {
    try {
      this.#position ??= await this.#loadPosition();
      const next = await this.#readNext(this.#position);
      return next === undefined ? 'done' : await this.#importRun(next.position, next.run);
    } catch (error) {
      // Whether a commit whose answer got lost took place is not known: the position is read again.
      this.#position = undefined;
      throw storeErrors.create('STORE_JOURNAL_IMPORT', { reason: describeError(error) }, error);
    }
  }

  /** Removes the folder of a journal that is imported to its end, then its position (not before: see {@link step}). */
  async removeAll(): Promise<void> {
    await rm(this.#options.directory, { recursive: true, force: true });
    await sql`delete from journal_position where instance = ${this.instance}`.execute(this.#options.db);
  }

  /** The next frames. Segments read to their end are removed on the way. Undefined when nothing is left to read. */
  async #readNext(from: Position): Promise<{ position: Position; run: FrameRun } | undefined> {
    const { directory } = this.#options;
    const durable = this.#options.durable?.();
    const segments = await listSegments(directory);
    for (const segment of segments) {
      const complete = durable === undefined || segment < durable.segment;
      if (!complete && segment !== durable.segment) return undefined;
      if (segment >= from.segment) {
        const position = segment === from.segment ? from : { ...from, segment, position: 0 };
        const end = complete ? undefined : durable.size;
        const most = this.#oneByOne > 0 ? 1 : MOST_RECORDS;
        const run = await readRun(segmentPath(directory, segment), position.position, end, most);
        const torn = durable === undefined && segment === segments.at(-1) && run.damage?.final === true;
        if (run.frames.length > 0 || (run.damage !== undefined && !torn)) return { position, run };
        if (run.damage !== undefined) this.#reportTorn(position, run.damage.bytes);
      }
      if (!complete) return undefined;
      await removeSegment(directory, segment);
    }
    return undefined;
  }

  async #importRun(position: Position, run: FrameRun): Promise<ImportStep> {
    if (run.damage !== undefined) {
      this.#reportDamage(position, run.damage.bytes);
      this.#position = { ...position, position: run.damage.resume };
      return 'imported';
    }
    const count = this.#countWithImporter(run.frames);
    if (count === 0) return 'held';
    const frames = run.frames.slice(0, count);
    const last = frames.at(-1);
    if (last === undefined) return 'done';
    this.#reportGap(position, frames);
    const next = {
      segment: position.segment,
      position: run.ends[count - 1] ?? 0,
      sequence: Math.max(position.sequence, last.sequence),
    };
    await this.#import(position, next, frames);
    this.#position = next;
    this.#failures = 0;
    this.#oneByOne = Math.max(0, this.#oneByOne - 1);
    return 'imported';
  }

  async #import(from: Position, to: Position, frames: readonly JournalFrame[]): Promise<void> {
    // A batch whose write failed half way stands in two segments, with the same numbers.
    const fresh = frames.filter((frame) => frame.sequence > from.sequence);
    try {
      await this.#options.db.transaction().execute(async (transaction) => {
        await this.#movePosition(transaction, from, to);
        await this.#hand(fresh, transaction);
      });
    } catch (error) {
      if (isConnectionError(error) || !(await this.#databaseAnswers())) throw error;
      this.#failures += 1;
      if (this.#failures < MOST_FAILURES) throw error;
      this.#failures = 0;
      const [only] = fresh;
      if (frames.length > 1 || only === undefined) {
        this.#oneByOne = frames.length;
        throw error;
      }
      await this.#putAside(from, to, only, error);
    }
  }

  async #hand(frames: readonly JournalFrame[], transaction: DatabaseTransaction): Promise<void> {
    const byKind = new Map<string, JournalFrame[]>();
    for (const frame of frames) {
      const same = byKind.get(frame.kind);
      if (same === undefined) byKind.set(frame.kind, [frame]);
      else same.push(frame);
    }
    for (const [kind, same] of byKind) {
      const importer = this.#options.importers.get(kind);
      if (importer === undefined) await this.#insertDead(transaction, same, 'no importer of this kind');
      else
        await importer(
          same.map((frame): JournalRecord => frame.record),
          transaction,
        );
    }
  }

  async #movePosition(transaction: DatabaseTransaction, from: Position, to: Position): Promise<void> {
    const moved = await sql`
      insert into journal_position (instance, segment, position, sequence)
      values (${this.instance}, ${to.segment}, ${to.position}, ${to.sequence})
      on conflict (instance) do update
        set segment = excluded.segment, position = excluded.position, sequence = excluded.sequence,
            updated_at = now()
        where journal_position.sequence = ${from.sequence}`.execute(transaction);
    if (moved.numAffectedRows !== 1n) throw new Error('the journal position was moved by somebody else');
  }

  async #loadPosition(): Promise<Position> {
    const { rows } = await sql<Position>`
      select segment, position, sequence from journal_position where instance = ${this.instance}`.execute(
      this.#options.db,
    );
    return rows[0] ?? { segment: 0, position: 0, sequence: 0 };
  }

  /** A record that fails alone, again and again, while the database works: kept for a person, so that the rest goes on. */
  async #putAside(from: Position, to: Position, frame: JournalFrame, error: unknown): Promise<void> {
    this.#options.logger.error(
      { err: error, kind: frame.kind, instance: this.instance, sequence: frame.sequence },
      `a journal record was put aside in journal_dead: ${describeError(error)}`,
    );
    await this.#options.db.transaction().execute(async (transaction) => {
      await this.#movePosition(transaction, from, to);
      await this.#insertDead(transaction, [frame], describeError(error));
    });
  }

  async #insertDead(
    transaction: DatabaseTransaction,
    frames: readonly JournalFrame[],
    reason: string,
  ): Promise<void> {
    await sql`
      insert into journal_dead (instance, sequence, kind, record, error)
      select ${this.instance}, sequence, kind, record, ${reason}
      from unnest(${frames.map((frame) => frame.sequence)}::bigint[],
                  ${frames.map((frame) => frame.kind)}::text[],
                  ${frames.map((frame) => JSON.stringify(frame.record))}::text[]) as r (sequence, kind, record)
    `.execute(transaction);
  }

  async #databaseAnswers(): Promise<boolean> {
    try {
      await sql`select 1`.execute(this.#options.db);
      return true;
    } catch {
      return false;
    }
  }

  /** How many leading frames may go now: all, unless importers are still being registered. */
  #countWithImporter(frames: readonly JournalFrame[]): number {
    if (!this.#options.waitForImporters()) return frames.length;
    const first = frames.findIndex((frame) => !this.#options.importers.has(frame.kind));
    return first === -1 ? frames.length : first;
  }

  /** Bytes at the end of a journal that nobody writes any more: an append that never resolved. */
  #reportTorn(position: Position, bytes: number): void {
    this.#options.logger.info(
      { instance: this.instance, segment: position.segment, offset: position.position, bytes },
      'the unfinished end of a journal was cut off',
    );
  }

  #reportDamage(position: Position, bytes: number): void {
    const error = storeErrors.create('STORE_JOURNAL_DAMAGED', {
      segment: `${this.instance}/${position.segment}`,
      offset: position.position,
      bytes,
    });
    this.#options.logger.error({ err: error, code: error.code }, error.message);
  }

  #reportGap(position: Position, frames: readonly JournalFrame[]): void {
    const first = frames.find((frame) => frame.sequence > position.sequence);
    const lost = first === undefined ? 0 : first.sequence - position.sequence - 1;
    if (lost > 0) {
      this.#options.logger.error(
        { instance: this.instance, lost, after: position.sequence },
        `${lost} journal records were lost on disk`,
      );
    }
  }
}
