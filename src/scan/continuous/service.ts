// Notices a replaced advisory file and works the jobs of continuous matching.
import { z } from 'zod';
import { describeError } from '../../core/index.ts';
import type { Store } from '../../store/index.ts';
import { currentEpoch } from '../store-epochs.ts';
import { findScan } from '../store.ts';
import { matchAdvisories, matchImage, type MatchingOptions } from './matching.ts';

/** Bring all images to new advisory data. */
export const MATCH_ADVISORIES_JOB = 'match-advisories';
/** Match all packages of one image whose scan used other data than the newest. */
export const MATCH_IMAGE_JOB = 'match-image';

const QUEUE = { retryLimit: 5, retryDelaySeconds: 2, expireSeconds: 3_600 } as const;
const IMAGE_QUEUE = { retryLimit: 3, retryDelaySeconds: 2, expireSeconds: 600 } as const;
/** How long an image waits while a newer file is being taken up. */
const BEHIND_SECONDS = 1;
/** How often the advisory file is looked at. */
const POLL_MS = 3_000;

const imagePayload = z.object({ digest: z.string() });

export interface ContinuousOptions extends MatchingOptions {
  readonly store: Store;
}

export interface Reloaded {
  /** Identity of the advisory data in use now. */
  readonly digest: string;
  /** Is it other data than images were matched with? They are matched again by a job then. */
  readonly changed: boolean;
}

export class ContinuousMatching {
  readonly #options: ContinuousOptions;
  readonly #stopping: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #stamp: string | undefined;

  constructor(options: ContinuousOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#stopping = stopping;
  }

  /** Declares the queues, which every process needs that may enqueue. */
  async define(): Promise<void> {
    const { jobs } = this.#options.store;
    await jobs.define(MATCH_ADVISORIES_JOB, QUEUE);
    await jobs.define(MATCH_IMAGE_JOB, IMAGE_QUEUE);
  }

  /** Works the jobs and begins to watch the file. */
  async start(): Promise<void> {
    const { store } = this.#options;
    await this.#look();
    await store.jobs.work(MATCH_ADVISORIES_JOB, { concurrency: 1 }, async ({ signal }) => {
      await matchAdvisories(this.#options, AbortSignal.any([signal, this.#stopping]));
    });
    await store.jobs.work(MATCH_IMAGE_JOB, { concurrency: 1 }, ({ payload }) => this.#image(payload));
    this.#watch();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Looks at the advisory file now. Rejects with ADVISORIES_… when it cannot be read. */
  async reload(): Promise<Reloaded> {
    const { store, archive } = this.#options;
    const digest = await archive.keepLatest();
    const current = await currentEpoch(store.db);
    const changed = current === undefined || !current.finished || current.digest !== digest;
    if (changed) {
      const payload = { from: current?.digest ?? null, to: digest };
      await store.jobs.enqueue(MATCH_ADVISORIES_JOB, payload, { key: MATCH_ADVISORIES_JOB });
      store.jobs.wake(MATCH_ADVISORIES_JOB);
    }
    return { digest, changed };
  }

  /** Makes sure that an image is matched with the newest data after its scan has ended. */
  async afterScan(digest: string): Promise<void> {
    const { db } = this.#options.store;
    const scan = await findScan(db, digest);
    if (scan?.status !== 'finished' || scan.matchedCurrent) return;
    await this.#enqueueImage(digest, 0);
  }

  async #enqueueImage(digest: string, delaySeconds: number): Promise<void> {
    const { jobs } = this.#options.store;
    await jobs.enqueue(MATCH_IMAGE_JOB, { digest }, { key: digest, delaySeconds });
    if (delaySeconds === 0) jobs.wake(MATCH_IMAGE_JOB);
  }

  /**
   * Is there a newer file than the one images are matched with? A scan may have used it already; matching that image now would
   * take its findings back to the older data. The file is taken up at once.
   */
  async #isBehind(): Promise<boolean> {
    const { digest } = await this.reload();
    return (await currentEpoch(this.#options.store.db))?.digest !== digest;
  }

  /** The first epoch must exist before the first scan ends, or that scan would be matched twice. */
  async #look(): Promise<void> {
    try {
      const { store, archive } = this.#options;
      this.#stamp = await archive.stamp();
      if ((await currentEpoch(store.db)) === undefined) await matchAdvisories(this.#options, this.#stopping);
      else await this.reload();
    } catch (error) {
      this.#warn(error);
    }
  }

  #watch(): void {
    this.#timer = setTimeout(() => void this.#poll(), POLL_MS);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    try {
      const stamp = await this.#options.archive.stamp();
      if (stamp !== this.#stamp) {
        await this.reload();
        this.#stamp = stamp;
      }
    } catch (error) {
      // A file that is being replaced, or is not one: images stay matched with the data before.
      this.#warn(error);
    }
    if (!this.#stopping.aborted) this.#watch();
  }

  #warn(error: unknown): void {
    this.#options.logger.warn({ err: error }, `advisory file: ${describeError(error)}`);
  }

  async #image(payload: unknown): Promise<void> {
    const parsed = imagePayload.safeParse(payload);
    if (!parsed.success) return;
    if (await this.#isBehind()) {
      await this.#enqueueImage(parsed.data.digest, BEHIND_SECONDS);
      return;
    }
    if (!(await matchImage(this.#options, parsed.data.digest))) await this.afterScan(parsed.data.digest);
  }
}
