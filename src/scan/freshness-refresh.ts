// Scans images again, in the background, whose result was made by other catalogers than those of now.
import { sql } from 'kysely';
import { SCAN_IMAGE_JOB, type Clock, type ImageDirectory } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { scanVersions } from './scan-versions.ts';
import { freshnessOf } from './freshness.ts';
import { findScans } from './store.ts';

/** Behind every push and every request. */
const BACKGROUND_PRIORITY = -10;
const PAGE = 200;
const DAY_MS = 86_400_000;

export interface RefreshOptions {
  readonly store: Pick<Store, 'db' | 'jobs'>;
  readonly directory: ImageDirectory;
  readonly clock: Clock;
  /** Days after which every image is scanned again when catalogers changed; without it only those with another reason. */
  readonly rescanAfterDays?: number;
}

/**
 * Enqueues a scan of each fresh image that other catalogers have scanned. Looks only at those, through an index, and
 * not at the whole estate. Resolves to how many were enqueued.
 */
export async function refreshOutdated(options: RefreshOptions): Promise<number> {
  const { store, directory, clock, rescanAfterDays } = options;
  let enqueued = 0;
  for (let after = ''; ; ) {
    const digests = await outdated(store, after);
    const scans = await findScans(store.db, digests);
    for (const image of digests.length === 0 ? [] : await directory.findMany(digests)) {
      const scan = scans.get(image.digest);
      const finished = Date.parse(scan?.finishedAt ?? '');
      const scheduled = rescanAfterDays !== undefined && clock.now() - finished >= rescanAfterDays * DAY_MS;
      const { reasons } = freshnessOf(image, [scan], { now: clock.now(), scheduled });
      const repository = image.locations[0]?.repository;
      if (reasons.length === 0 || repository === undefined) continue;
      const payload = { repository, digest: image.digest, trigger: 'refresh' };
      const settings = { key: image.digest, priority: BACKGROUND_PRIORITY };
      if ((await store.jobs.enqueue(SCAN_IMAGE_JOB, payload, settings)) !== null) enqueued++;
    }
    const last = digests.at(-1);
    if (last === undefined || digests.length < PAGE) break;
    after = last;
  }
  if (enqueued > 0) store.jobs.wake(SCAN_IMAGE_JOB);
  return enqueued;
}

async function outdated({ db }: Pick<Store, 'db'>, after: string): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly digest: string }>`
    select digest from scan_image
    where (catalogers < ${scanVersions} or catalogers > ${scanVersions} or catalogers is null)
      and status in ('finished', 'unscannable') and digest > ${after}
    order by digest limit ${PAGE}`.execute(db);
  return rows.map((row) => row.digest);
}
