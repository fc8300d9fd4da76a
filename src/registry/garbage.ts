// Online garbage collection: marks, waits, deletes rows, then bytes. Never blocks pushes and never makes the registry read-only.
import { describeError, MAX_ROWS_PER_TRANSACTION } from '../core/index.ts';
import type { Clock, Logger, Randomness } from '../core/index.ts';
import { objectRemovalAllowed, type Store } from '../store/index.ts';
import { blobKey } from './caches.ts';
import type { Instruments } from './instruments.ts';
import {
  deleteDoomed,
  deleteExpiredUploads,
  doomBlobs,
  findOrphans,
  isHeldByBackup,
  unlinkUnused,
} from './store-garbage.ts';
import { inTransaction } from './store.ts';
import type { GarbageOptions, GarbageReport } from './types.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface GarbageContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  readonly instruments: Instruments;
  /** Objects this process is writing. */
  readonly objectsInUse: () => ReadonlySet<string>;
}

/** One collector per process; runs of several processes do not disturb each other (rows are locked, locked ones skipped). */
export class GarbageCollector {
  readonly #context: GarbageContext;
  readonly #intervalMs: number;
  readonly #graceMs: number;
  readonly #uploadAgeMs: number;
  readonly #settleMs: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<GarbageReport> | undefined;
  #closed = false;

  constructor(context: GarbageContext, options: GarbageOptions) {
    this.#context = context;
    this.#intervalMs = options.intervalMs ?? HOUR_MS;
    this.#graceMs = options.graceMs ?? DAY_MS;
    this.#uploadAgeMs = options.uploadAgeMs ?? DAY_MS;
    this.#settleMs = options.settleMs ?? 60_000;
  }

  get graceMs(): number {
    return this.#graceMs;
  }

  /** Starts the timer; each wait differs by up to a tenth, so that several processes do not run in step. */
  start(): void {
    if (this.#intervalMs <= 0 || this.#closed) return;
    const jitter = (this.#context.randomness.bytes(2).readUInt16BE() / 0xffff - 0.5) * 0.2;
    this.#timer = setTimeout(
      () => {
        this.collect()
          .catch((error: unknown) => {
            this.#context.logger.error({ err: error }, `garbage collection failed: ${describeError(error)}`);
          })
          .finally(() => this.start());
      },
      Math.round(this.#intervalMs * (1 + jitter)),
    );
    this.#timer.unref();
  }

  /** Collects once. A call during a run gets that run's report. */
  collect(): Promise<GarbageReport> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Stops the timer and waits for a run under way, which ends after its current batch. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<GarbageReport> {
    const { clock, logger, store } = this.#context;
    const started = clock.now();
    const unlinked = await this.#unlink(new Date(started - this.#graceMs));
    const doomed = await this.#repeat((db) =>
      doomBlobs(db, new Date(started - this.#graceMs), new Date(started)),
    );
    const held = await isHeldByBackup(store.db, new Date(clock.now()));
    const deleted = held ? { blobs: 0, bytes: 0 } : await this.#deleteDoomed(started);
    const expiredUploads = held ? 0 : await this.#expireUploads(new Date(started - this.#uploadAgeMs));
    const orphanObjects = held
      ? 0
      : await this.#removeOrphans(started - Math.max(this.#graceMs, this.#uploadAgeMs));
    this.#context.instruments.collectedBytes += deleted.bytes;
    const report: GarbageReport = {
      startedAt: new Date(started).toISOString(),
      durationMs: clock.now() - started,
      unlinked,
      doomed,
      deletedBlobs: deleted.blobs,
      freedBytes: deleted.bytes,
      expiredUploads,
      orphanObjects,
      held,
    };
    logger.info({ report }, 'garbage collected');
    return report;
  }

  async #unlink(before: Date): Promise<number> {
    const { store } = this.#context;
    let total = 0;
    for (;;) {
      const keys: string[] = [];
      await inTransaction(store.db, async (transaction) => {
        keys.length = 0;
        const links = await unlinkUnused(transaction, before);
        keys.push(...links.map((link) => blobKey(link.repository, link.digest)));
        if (keys.length > 0) await store.invalidations.record(transaction, keys);
      });
      store.invalidations.apply(keys);
      total += keys.length;
      if (keys.length < MAX_ROWS_PER_TRANSACTION || this.#closed) return total;
    }
  }

  async #deleteDoomed(started: number): Promise<{ blobs: number; bytes: number }> {
    const { store } = this.#context;
    const before = new Date(started - this.#settleMs + 1);
    let bytes = 0;
    const blobs = await this.#batches(async () => {
      const deleted = await inTransaction(store.db, async (transaction) =>
        (await objectRemovalAllowed(transaction)) ? deleteDoomed(transaction, before) : [],
      );
      for (const blob of deleted) {
        // The row is gone for good, so nobody finds the object any more; a crash here leaves an orphan for a later run.
        await store.blobs.remove(blob.objectId);
        bytes += blob.size;
      }
      return deleted.length;
    });
    return { blobs, bytes };
  }

  #expireUploads(before: Date): Promise<number> {
    const { store, objectsInUse } = this.#context;
    return this.#batches(async () => {
      const expired = await inTransaction(store.db, async (transaction) =>
        (await objectRemovalAllowed(transaction)) ? deleteExpiredUploads(transaction, before) : [],
      );
      for (const { objectId } of expired) {
        if (objectId !== null && !objectsInUse().has(objectId)) await store.blobs.remove(objectId);
      }
      return expired.length;
    });
  }

  /** Objects older than every grace that neither a blob nor an upload names: what crashes leave behind. */
  async #removeOrphans(beforeMs: number): Promise<number> {
    const { store, objectsInUse } = this.#context;
    let removed = 0;
    let candidates: string[] = [];
    const sweep = async (): Promise<void> => {
      const orphans = await findOrphans(store.db, candidates);
      candidates = [];
      for (const id of orphans) {
        if (objectsInUse().has(id)) continue;
        await store.blobs.remove(id);
        removed++;
      }
    };
    for await (const object of store.blobs.list()) {
      if (this.#closed) return removed;
      if (object.modifiedAt >= beforeMs || objectsInUse().has(object.id)) continue;
      candidates.push(object.id);
      if (candidates.length >= MAX_ROWS_PER_TRANSACTION) await sweep();
    }
    await sweep();
    return removed;
  }

  #repeat(
    work: (db: Parameters<Parameters<typeof inTransaction<number>>[1]>[0]) => Promise<number>,
  ): Promise<number> {
    return this.#batches(() => inTransaction(this.#context.store.db, work));
  }

  /** Repeats a batch until one is not full. */
  async #batches(batch: () => Promise<number>): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await batch();
      total += count;
      if (count < MAX_ROWS_PER_TRANSACTION || this.#closed) return total;
    }
  }
}
