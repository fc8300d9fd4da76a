// Group commit of the journal: all records of a tick or of a 10 ms window become durable with one fdatasync.
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, MiB, type BreakwaterError, type Logger } from '../core/index.ts';
import { storeErrors } from './errors.ts';
import { encodeFrame, type JournalRecord } from './journal-frame.ts';
import { SegmentWriter } from './journal-segment.ts';

/** Records waiting for the disk, in bytes; above this `append` rejects. */
const MAX_WAITING_BYTES = 16 * MiB;
const BATCH_BYTES = MiB;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

export interface JournalWriterOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** Least time between two fdatasyncs, in milliseconds. */
  readonly windowMs: number;
  /** A segment of this size is closed and the next one begun. */
  readonly segmentBytes: number;
  /** Called when records became durable. */
  readonly onDurable: () => void;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: BreakwaterError) => void;
}

/** Writes one journal folder. A failing disk is tried again with back-off; records wait meanwhile. */
export class JournalWriter {
  readonly #options: JournalWriterOptions;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #sequence = 0;
  #segment: SegmentWriter | undefined;
  /** Number of the segment that will be created next. */
  #next = 1;
  #running: Promise<void> | undefined;
  #failure: BreakwaterError | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closing = false;
  /** Who waits for the next try to write, well or not. */
  #attempted: (() => void)[] = [];
  /** Ends a back-off sleep early. */
  #hurry = new AbortController();

  constructor(options: JournalWriterOptions) {
    this.#options = options;
  }

  /** Segments below `segment` are complete; of `segment` itself the first `size` bytes are durable. */
  get durable(): { readonly segment: number; readonly size: number } {
    if (this.#segment === undefined) return { segment: this.#next, size: 0 };
    return { segment: this.#segment.number, size: this.#segment.durable };
  }

  /** Sequence number of the last record taken. */
  get sequence(): number {
    return this.#sequence;
  }

  async append(kind: string, record: JournalRecord): Promise<void> {
    if (this.#closing) throw storeErrors.create('STORE_JOURNAL_CLOSED');
    const bytes = encodeFrame({ sequence: this.#sequence + 1, kind, record });
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      throw storeErrors.create('STORE_JOURNAL_FULL', { size: this.#waitingBytes }, this.#failure);
    }
    this.#sequence += 1;
    this.#waitingBytes += bytes.length;
    const durable = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
    });
    this.#running ??= this.#run();
    await durable;
  }

  /** Resolves when everything taken so far is durable; rejects with STORE_JOURNAL_WRITE when the disk refuses it now. */
  async flush(): Promise<void> {
    const last = this.#sequence;
    this.#hurry.abort();
    while (this.#waiting.length > 0 && this.#firstWaiting() <= last) {
      await new Promise<void>((resolve) => this.#attempted.push(resolve));
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** Writes what waits, once more, and closes. Records that cannot be written are rejected. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#hurry.abort();
    await this.#running;
    await this.#segment?.close();
    this.#segment = undefined;
  }

  #firstWaiting(): number {
    return this.#sequence - this.#waiting.length + 1;
  }

  async #run(): Promise<void> {
    // The rest of this tick may bring more records.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const started = performance.now();
      try {
        await this.#writeBatch();
        this.#failure = undefined;
        this.#tellAttempted();
      } catch (error) {
        await this.#afterFailure(error);
        continue;
      }
      this.#options.onDurable();
      const left = this.#options.windowMs - (performance.now() - started);
      if (left > 0 && this.#waiting.length > 0 && !this.#closing) await sleep(left);
    }
    this.#running = undefined;
  }

  async #writeBatch(): Promise<void> {
    let count = 0;
    let bytes = 0;
    for (const { bytes: frame } of this.#waiting) {
      if (count > 0 && bytes + frame.length > BATCH_BYTES) break;
      bytes += frame.length;
      count += 1;
    }
    const segment = this.#segment ?? (await this.#createSegment());
    const batch = this.#waiting.slice(0, count);
    await segment.append(batch.map((waiting) => waiting.bytes));
    this.#waiting = this.#waiting.slice(count);
    this.#waitingBytes -= bytes;
    for (const waiting of batch) waiting.resolve();
    if (segment.durable >= this.#options.segmentBytes) {
      this.#segment = undefined;
      await segment.close().catch(() => undefined);
    }
  }

  /** The number is used up also by a failure, which may have left the file. */
  async #createSegment(): Promise<SegmentWriter> {
    try {
      this.#segment = await SegmentWriter.create(this.#options.directory, this.#next);
      return this.#segment;
    } finally {
      // In the same step as the assignment above: `durable` must never count a segment being created as complete.
      this.#next += 1;
    }
  }

  /** A failed fdatasync must not be tried again on the same file (the kernel drops the pages): a new segment is begun. */
  async #afterFailure(error: unknown): Promise<void> {
    const first = this.#failure === undefined;
    this.#failure = storeErrors.create('STORE_JOURNAL_WRITE', { reason: describeError(error) }, error);
    if (first) this.#options.logger.error({ err: this.#failure }, this.#failure.message);
    await this.#segment?.abandon();
    this.#segment = undefined;
    this.#tellAttempted();
    if (this.#closing) {
      for (const waiting of this.#waiting) waiting.reject(this.#failure);
      this.#waiting = [];
      this.#waitingBytes = 0;
      return;
    }
    this.#retryMs = first ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    this.#hurry = new AbortController();
    await sleep(this.#retryMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
  }

  #tellAttempted(): void {
    const attempted = this.#attempted;
    this.#attempted = [];
    for (const resolve of attempted) resolve();
  }
}
