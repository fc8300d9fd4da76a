// Scans one stored image in a scan process and stores what came out, whatever it is.
import { join } from 'node:path';
import { BreakwaterError, type StoredImage } from '../core/index.ts';
import { openAdvisories } from '../advisories/index.ts';
import { scanErrors } from './errors.ts';
import type { ScanInstruments } from './instruments.ts';
import type { LayerBytes } from './layer-cache.ts';
import { runScanProcess } from './process.ts';
import { unscannableReport } from './report.ts';
import type { ScanServiceOptions } from './service.ts';
import { beginScan, failScan, type ImageScan } from './store.ts';
import { storedLayerBytes } from './store-layers.ts';
import { saveReport } from './store-results.ts';
import type { ScanReport } from './types.ts';

export type ScanOutcome =
  | { readonly kind: 'stored'; readonly report: ScanReport }
  /** A later scan of the same image has taken over. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'failed'; readonly error: BreakwaterError; readonly final: boolean };

export interface ScanTask {
  readonly image: StoredImage;
  readonly repository: string;
  readonly trigger: string;
  /** Is this the last time it is tried? */
  readonly lastAttempt: boolean;
  readonly signal: AbortSignal;
}

/** Errors that come back however often the scan is tried: they say something about the image. */
const FINAL = new Set([
  'SCAN_TOO_MANY_LAYERS',
  'SCAN_MEMORY_LIMIT',
  'SCAN_TIME_LIMIT',
  'OCI_DIGEST_MISMATCH',
  'OCI_SIZE_MISMATCH',
  'OCI_MANIFEST_INVALID',
  'OCI_MANIFEST_TOO_LARGE',
  'OCI_MANIFEST_MEDIA_TYPE',
  'OCI_MANIFEST_SCHEMA1',
]);

export class ImageScanner {
  readonly #options: ScanServiceOptions;
  readonly #instruments: ScanInstruments;
  readonly #stopping: AbortSignal;
  readonly #layers: LayerBytes;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(options: ScanServiceOptions, instruments: ScanInstruments, stopping: AbortSignal) {
    this.#options = options;
    this.#instruments = instruments;
    this.#stopping = stopping;
    this.#layers = storedLayerBytes(options.store.db, options.clock);
  }

  /** Identity of the advisory data that scans use now. */
  advisoriesDigest(): string {
    const { advisoriesPath } = this.#options;
    const file = openAdvisories(advisoriesPath);
    try {
      return file.info.digest;
    } finally {
      file.close();
    }
  }

  /** Resolves when no scan of this digest is running in this process. */
  async settled(digest: string): Promise<void> {
    for (let running = this.#running.get(digest); running; running = this.#running.get(digest)) {
      await running.catch(() => undefined);
    }
  }

  /** Resolves when no scan is running in this process. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** Scans and stores. A failure is stored too and returned; only the database's own errors reject. */
  async scan(task: ScanTask): Promise<ScanOutcome> {
    await this.settled(task.image.digest);
    const run = this.#scan(task);
    this.#running.set(task.image.digest, run);
    this.#instruments.running.inc();
    try {
      return await run;
    } finally {
      this.#instruments.running.dec();
      if (this.#running.get(task.image.digest) === run) this.#running.delete(task.image.digest);
    }
  }

  async #scan(task: ScanTask): Promise<ScanOutcome> {
    const { store, clock } = this.#options;
    const { digest } = task.image;
    const started = clock.now();
    const attempt = await beginScan(store.db, digest, task.trigger, new Date(started));
    let report: ScanReport;
    try {
      report = await this.#report(task);
    } catch (thrown) {
      return this.#fail(task, attempt, codedError(thrown));
    }
    const saved = await saveReport(store.db, digest, attempt, report, new Date(clock.now()));
    if (!saved) return { kind: 'superseded' };
    this.#instruments.duration.observe((clock.now() - started) / 1000);
    this.#instruments.ended.inc({ outcome: report.status });
    return { kind: 'stored', report };
  }

  async #report({ image, repository, signal }: ScanTask): Promise<ScanReport> {
    const { store, advisoriesPath, logger, memoryLimitBytes, timeLimitMs } = this.#options;
    if (image.kind === 'artifact') return this.#artifactReport(image);
    const access = await this.#options.registryAccess(repository);
    const reports = await runScanProcess(
      {
        ...access,
        repository,
        digest: image.digest,
        secrets: true,
        ...(advisoriesPath === undefined ? {} : { advisoriesPath }),
      },
      {
        layers: this.#layers,
        logger,
        codeCacheDirectory: join(store.dataDirectory, 'code-cache'),
        signal: AbortSignal.any([signal, this.#stopping]),
        ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
        ...(timeLimitMs === undefined ? {} : { timeLimitMs }),
      },
    );
    const [report] = reports;
    if (report === undefined) throw scanErrors.create('SCAN_PROCESS_MESSAGE');
    return report;
  }

  /** The registry knows already that it is no container image: no process is needed to say so. */
  #artifactReport({ digest, mediaType, artifactType }: StoredImage): ScanReport {
    const { advisoriesPath, clock } = this.#options;
    const advisories = openAdvisories(advisoriesPath);
    try {
      const reason = `it is an artifact (${artifactType ?? mediaType}), not a container image`;
      return unscannableReport(digest, { digest, mediaType, platform: null }, reason, { advisories, clock });
    } finally {
      advisories.close();
    }
  }

  async #fail(task: ScanTask, attempt: number, error: BreakwaterError): Promise<ScanOutcome> {
    const { store, clock, logger } = this.#options;
    const { digest } = task.image;
    const cancelled = error.code === 'SCAN_CANCELLED' || error.code === 'OCI_ABORTED';
    const final = !cancelled && (task.lastAttempt || FINAL.has(error.code));
    await failScan(store.db, digest, attempt, {
      status: final ? 'failed' : 'pending',
      code: error.code,
      message: error.message,
      now: new Date(clock.now()),
    });
    this.#instruments.ended.inc({ outcome: final ? 'failed' : 'retried' });
    logger.warn({ digest, code: error.code, final }, `scan did not finish: ${error.message}`);
    return { kind: 'failed', error, final };
  }
}

function codedError(thrown: unknown): BreakwaterError {
  if (thrown instanceof BreakwaterError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : 'unknown error';
  return scanErrors.create('SCAN_FAILED', { reason }, thrown);
}

/** Is a stored result still what a new scan would find? */
export function isCurrent(scan: ImageScan | undefined, advisories: string, catalogers: string): boolean {
  if (scan === undefined || (scan.status !== 'finished' && scan.status !== 'unscannable')) return false;
  return scan.advisories?.digest === advisories && scan.catalogers === catalogers;
}
