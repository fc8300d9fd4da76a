// The scan status of a stored image as it is shown: its own, or for an index what its images add up to.
import type { StoredImage } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import { findScans, type ImageScan, type ScanStatus, type SeverityCounts } from './store.ts';
import { addCounts } from './store-results.ts';
import type { ReportAdvisories } from './types.ts';

export interface ImageScanStatus {
  readonly status: ScanStatus;
  readonly trigger: string | null;
  readonly requestedAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly reason: string | null;
  readonly advisories: ReportAdvisories | null;
  /** Null while there is no result: "not scanned" is never zero. */
  readonly packageCount: number | null;
  readonly counts: SeverityCounts | null;
  /** Secrets found; null while there is no result, or where they were not looked for. */
  readonly secretCount: number | null;
}

/** No scan was started yet: the job that the push enqueued is waiting. */
const WAITING: ImageScanStatus = {
  status: 'pending',
  trigger: null,
  requestedAt: null,
  startedAt: null,
  finishedAt: null,
  error: null,
  reason: null,
  advisories: null,
  packageCount: null,
  counts: null,
  secretCount: null,
};

export async function imageScanStatus(db: Database, image: StoredImage): Promise<ImageScanStatus> {
  return statusOf(image, await findScans(db, digestsOf([image])));
}

/** Every digest whose scan must be known to show these images. */
export function digestsOf(images: readonly StoredImage[]): readonly string[] {
  return [
    ...new Set(images.flatMap((image) => [image.digest, ...image.children.map((child) => child.digest)])),
  ];
}

/** The status of an image, given the scans of it and of its children. */
export function statusOf(image: StoredImage, scans: ReadonlyMap<string, ImageScan>): ImageScanStatus {
  return image.kind === 'index' ? indexStatus(image, scans) : scanStatus(scans.get(image.digest));
}

/** The status of one scan; without one, that it is waiting. */
export function scanStatus(scan: ImageScan | undefined): ImageScanStatus {
  if (scan === undefined) return WAITING;
  const { status, trigger, requestedAt, startedAt, finishedAt, error, reason, advisories } = scan;
  const { packageCount, counts, secretCount } = scan;
  return {
    status,
    trigger,
    requestedAt,
    startedAt,
    finishedAt,
    error,
    reason,
    advisories,
    packageCount,
    counts,
    secretCount,
  };
}

/** The least finished of its images decides; unscannable ones (attestations) count only when there are no others. */
function indexStatus(index: StoredImage, scans: ReadonlyMap<string, ImageScan>): ImageScanStatus {
  const present = index.children.filter((child) => child.present);
  const children = present.map((child) => scanStatus(scans.get(child.digest)));
  if (children.length === 0) {
    return { ...WAITING, status: 'unscannable', reason: 'none of the images it names is stored' };
  }
  const order: readonly ScanStatus[] = ['running', 'pending', 'failed', 'finished', 'unscannable'];
  const status = order.find((one) => children.some((child) => child.status === one)) ?? 'pending';
  const counted = children.flatMap((child) => (child.counts === null ? [] : [child.counts]));
  const searched = children.map((child) => child.secretCount).filter((count) => count !== null);
  const failed = children.find((child) => child.status === status);
  const ended = status !== 'running' && status !== 'pending';
  const finished = children.map((child) => child.finishedAt).filter((at) => at !== null);
  return {
    ...WAITING,
    status,
    trigger: failed?.trigger ?? null,
    finishedAt: ended ? (finished.toSorted().at(-1) ?? null) : null,
    error: status === 'failed' ? (failed?.error ?? null) : null,
    reason: status === 'unscannable' ? (failed?.reason ?? null) : null,
    advisories: children.find((child) => child.advisories !== null)?.advisories ?? null,
    packageCount:
      counted.length === 0 ? null : children.reduce((sum, child) => sum + (child.packageCount ?? 0), 0),
    counts: counted.length === 0 ? null : counted.reduce(addCounts),
    secretCount: searched.length === 0 ? null : searched.reduce((sum, count) => sum + count, 0),
  };
}
