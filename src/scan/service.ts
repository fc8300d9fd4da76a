// Works the scan queue: one stored image at a time per digest, its result stored, everybody told.
import {
  describeError,
  SCAN_IMAGE_JOB,
  SCAN_IMAGE_QUEUE,
  type Clock,
  type EventBus,
  type ImageDirectory,
  type Logger,
  type Metrics,
  type StoredImage,
} from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { AdvisoryArchive } from './continuous/archive.ts';
import { ContinuousMatching, type Reloaded } from './continuous/service.ts';
import { refreshOutdated } from './freshness-refresh.ts';
import { freshnessOf, type ImageFreshness } from './freshness.ts';
import { ImageScanner } from './image-scanner.ts';
import { scanInstruments } from './instruments.ts';
import { scanJobHandler } from './jobs.ts';
import { imageScanStatus, type ImageScanStatus } from './scan-status.ts';
import { findUnfinished, findScan, markPending, type ImageScan } from './store.ts';
import { forgetImage } from './store-results.ts';

/** How scans reach the registry that holds the images. */
export interface RegistryAccess {
  /** `host:port`. */
  readonly registry: string;
  readonly plainHttp: boolean;
  /** A short-lived bearer token that may pull the repository. */
  readonly token: string;
}

export interface ScanServiceOptions {
  readonly store: Store;
  readonly directory: ImageDirectory;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  registryAccess(repository: string): Promise<RegistryAccess>;
  /** Path of the advisory file; without it the starter advisories are used. */
  readonly advisoriesPath?: string;
  /** Scans at the same time, each in its own process. */
  readonly concurrency: number;
  /** Days after which every image is scanned again when catalogers changed; without it only fresh ones are. */
  readonly rescanAfterDays?: number;
  readonly memoryLimitBytes?: number;
  readonly timeLimitMs?: number;
}

export interface ScanService {
  /** Declares the queue and starts working it. Call before anything enqueues scans. */
  start(): Promise<void>;
  /** Ends running scan processes; their jobs are taken up again by the next start. */
  stop(): Promise<void>;
  /** Asks for a scan now. `jobId` is null when one is waiting already. */
  request(digest: string): Promise<{ readonly jobId: string | null } | 'notFound'>;
  /** Why an image is kept fresh and whether its result is current, given its scans (of an index: its images'). */
  freshness(image: StoredImage, scans: ReadonlyMap<string, ImageScan>): ImageFreshness;
  /** Looks at the advisory file now; stored images are matched again when it was replaced. */
  reloadAdvisories(): Promise<Reloaded>;
  /** Undefined when no such image is stored. */
  status(digest: string): Promise<ImageScanStatus | undefined>;
}

const ON_DEMAND_PRIORITY = 10;
const MAX_UNFINISHED = 10_000;
/** How often images are looked for that other catalogers have scanned. */
const REFRESH_MS = 3_600_000;

/** Creates the service; nothing runs until `start`. */
export function createScanService(options: ScanServiceOptions): ScanService {
  return new QueueScanService(options);
}

class QueueScanService implements ScanService {
  readonly #options: ScanServiceOptions;
  readonly #stopping = new AbortController();
  readonly #scanner: ImageScanner;
  readonly #continuous: ContinuousMatching;
  readonly #unsubscribe: (() => void)[] = [];
  #refreshing: NodeJS.Timeout | undefined;

  constructor(options: ScanServiceOptions) {
    this.#options = options;
    this.#scanner = new ImageScanner(options, scanInstruments(options.metrics), this.#stopping.signal);
    const archive = new AdvisoryArchive(options.store.dataDirectory, options.advisoriesPath);
    this.#continuous = new ContinuousMatching({ ...options, archive }, this.#stopping.signal);
  }

  async start(): Promise<void> {
    const { store, events, concurrency } = this.#options;
    await store.jobs.define(SCAN_IMAGE_JOB, SCAN_IMAGE_QUEUE);
    await this.#continuous.define();
    await this.#continuous.start();
    await this.#resumeUnfinished();
    this.#unsubscribe.push(events.subscribe('image.deleted', ({ digest }) => this.#forgetIfGone(digest)));
    await store.jobs.work(
      SCAN_IMAGE_JOB,
      { concurrency },
      scanJobHandler({
        ...this.#options,
        scanner: this.#scanner,
        continuous: this.#continuous,
        stopping: this.#stopping.signal,
      }),
    );
    await this.#refresh();
    this.#refreshing = setInterval(() => void this.#refresh(), REFRESH_MS);
    this.#refreshing.unref();
  }

  stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#stopping.abort();
    this.#continuous.stop();
    clearInterval(this.#refreshing);
    return this.#scanner.idle();
  }

  async request(digest: string): Promise<{ readonly jobId: string | null } | 'notFound'> {
    const { directory, store, clock } = this.#options;
    const image = await directory.find(digest);
    const repository = image?.locations[0]?.repository;
    if (repository === undefined) return 'notFound';
    // An index has no scan of its own: its job marks its images.
    if (image?.kind !== 'index') await markPending(store.db, digest, 'on-demand', new Date(clock.now()));
    const payload = { repository, digest, trigger: 'on-demand' };
    const options = { key: digest, priority: ON_DEMAND_PRIORITY };
    const jobId = await store.jobs.enqueue(SCAN_IMAGE_JOB, payload, options);
    store.jobs.wake(SCAN_IMAGE_JOB);
    return { jobId };
  }

  freshness(image: StoredImage, scans: ReadonlyMap<string, ImageScan>): ImageFreshness {
    const digests =
      image.kind === 'index'
        ? image.children.filter((child) => child.present).map((child) => child.digest)
        : [image.digest];
    return freshnessOf(
      image,
      digests.map((digest) => scans.get(digest)),
      { now: this.#options.clock.now(), scheduled: this.#options.rescanAfterDays !== undefined },
    );
  }

  async reloadAdvisories(): Promise<Reloaded> {
    // A process that does not work jobs may be the first to enqueue them.
    await this.#continuous.define();
    return this.#continuous.reload();
  }

  async status(digest: string): Promise<ImageScanStatus | undefined> {
    const image = await this.#options.directory.find(digest);
    return image && imageScanStatus(this.#options.store.db, image);
  }

  /** Scans that had not ended when the server did; with the same key, a job that is waiting is not doubled. */
  async #resumeUnfinished(): Promise<void> {
    const { store, directory, logger } = this.#options;
    for (const digest of await findUnfinished(store.db, MAX_UNFINISHED)) {
      const repository = (await directory.find(digest))?.locations[0]?.repository;
      if (repository === undefined) {
        await forgetImage(store.db, digest);
        continue;
      }
      const trigger = (await findScan(store.db, digest))?.trigger === 'on-demand' ? 'on-demand' : 'push';
      logger.info({ digest }, 'taking up an unfinished scan');
      await store.jobs.enqueue(SCAN_IMAGE_JOB, { repository, digest, trigger }, { key: digest });
    }
  }

  async #refresh(): Promise<void> {
    try {
      const images = await refreshOutdated(this.#options);
      if (images > 0)
        this.#options.logger.info({ images }, 'scanning again what other catalogers have scanned');
    } catch (error) {
      this.#options.logger.warn({ err: error }, `images could not be refreshed: ${describeError(error)}`);
    }
  }

  async #forgetIfGone(digest: string): Promise<void> {
    const { directory, store } = this.#options;
    if ((await directory.find(digest)) === undefined) await forgetImage(store.db, digest);
  }
}
