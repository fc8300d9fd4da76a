// The handler of scan jobs: images, indexes of images, artifacts, and what was deleted in the meantime.
import { z } from 'zod';
import { SCAN_IMAGE_JOB, type StoredImage } from '../core/index.ts';
import type { JobHandler } from '../store/index.ts';
import type { ContinuousMatching } from './continuous/service.ts';
import { refreshExemptionsOf } from './exemptions/service.ts';
import { isCurrent, type ImageScanner } from './image-scanner.ts';
import { imageScanStatus } from './scan-status.ts';
import { scanVersions } from './scan-versions.ts';
import type { ScanServiceOptions } from './service.ts';
import { findIndexesOf, findScan, findScans, markPending, recordIndex } from './store.ts';
import { forgetImage, NO_FINDINGS } from './store-results.ts';

const payloadSchema = z.object({
  repository: z.string(),
  digest: z.string(),
  trigger: z.enum(['push', 'on-demand', 'refresh']),
});
type Payload = z.infer<typeof payloadSchema>;

export interface ScanJobContext extends ScanServiceOptions {
  readonly scanner: ImageScanner;
  readonly continuous: ContinuousMatching;
  readonly stopping: AbortSignal;
}

/**
 * Handles one job. An image that has gone ends its job without an error. A push of what is scanned already with the
 * same advisories and catalogers scans nothing: the same digest in many repositories is one image.
 */
export function scanJobHandler(context: ScanJobContext): JobHandler {
  return async ({ id, payload, signal }) => {
    const parsed = payloadSchema.safeParse(payload);
    if (!parsed.success) {
      context.logger.error({ job: id }, 'scan job has a payload that cannot be understood; it is dropped');
      return;
    }
    const { digest } = parsed.data;
    const image = await context.directory.find(digest);
    if (image === undefined) await forgetImage(context.store.db, digest);
    else if (image.kind === 'index') await scanIndex(context, image, parsed.data);
    else await scanOne(context, image, parsed.data, id, signal);
  };
}

async function scanOne(
  context: ScanJobContext,
  image: StoredImage,
  payload: Payload,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const { store, scanner } = context;
  const { digest } = image;
  await scanner.settled(digest);
  const known = await findScan(store.db, digest);
  const wanted = known?.status === 'pending' && known.trigger === 'on-demand' ? 'on-demand' : payload.trigger;
  if (wanted !== 'on-demand' && isCurrent(known, scanner.advisoriesDigest(), scanVersions)) {
    await announce(context, image);
    return;
  }
  const job = await store.jobs.get(jobId);
  const outcome = await scanner.scan({
    image,
    repository: repositoryOf(image, payload.repository),
    trigger: wanted,
    lastAttempt: job !== undefined && job.retries >= job.retryLimit,
    signal,
  });
  if (outcome.kind === 'superseded') return;
  // Rejecting makes the queue try again; a final failure is stored and told instead.
  if (outcome.kind === 'failed' && !outcome.final) throw outcome.error;
  if (outcome.kind === 'stored') await context.continuous.afterScan(digest);
  await announce(context, image);
  for (const index of await findIndexesOf(store.db, digest)) {
    const parent = await context.directory.find(index);
    if (parent !== undefined) await announce(context, parent);
  }
}

/** The repository of the job where it still holds the image, else any other. */
function repositoryOf(image: StoredImage, wanted: string): string {
  const there = image.locations.some((location) => location.repository === wanted);
  return there ? wanted : (image.locations[0]?.repository ?? wanted);
}

/** An index has no contents of its own: its images are scanned, each by its own job and only once. */
async function scanIndex(context: ScanJobContext, index: StoredImage, payload: Payload): Promise<void> {
  const { store, clock } = context;
  const children = index.children.filter((child) => child.present).map((child) => child.digest);
  await recordIndex(store.db, index.digest, children);
  const known = await findScans(store.db, children);
  const repository = repositoryOf(index, payload.repository);
  for (const digest of children) {
    if (payload.trigger === 'push' && known.has(digest)) continue;
    await markPending(store.db, digest, payload.trigger, new Date(clock.now()));
    await store.jobs.enqueue(SCAN_IMAGE_JOB, { ...payload, repository, digest }, { key: digest });
  }
  store.jobs.wake(SCAN_IMAGE_JOB);
  await announce(context, index);
}

/** Publishes the end of a scan; of an index once all its images have ended. */
async function announce(context: ScanJobContext, image: StoredImage): Promise<void> {
  const { store, events, clock } = context;
  await refreshExemptionsOf(store.db, image);
  const { status, counts, advisories } = await imageScanStatus(store.db, image);
  if (status === 'pending' || status === 'running') return;
  events.publish('scan.finished', {
    digest: image.digest,
    repositories: image.locations.map((location) => location.repository),
    status,
    counts: counts ?? NO_FINDINGS,
    advisories: advisories?.digest ?? null,
    at: new Date(clock.now()).toISOString(),
  });
}
