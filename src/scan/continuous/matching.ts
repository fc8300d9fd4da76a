// Continuous matching: brings the findings of stored images from one advisory file to the next, at a cost that follows the change.
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  batches,
  describeError,
  type Clock,
  type EventBus,
  type ImageDirectory,
  type Logger,
} from '../../core/index.ts';
import { differenceSteps, type AdvisoryFile, type PackageKey } from '../../advisories/index.ts';
import type { Store } from '../../store/index.ts';
import { beginEpoch, currentEpoch, finishEpoch, lastFinished } from '../store-epochs.ts';
import { markMatched, writeChanges, writeNotices } from '../store-changes.ts';
import type { AdvisoryArchive } from './archive.ts';
import { isWorthWriting, PackageMatcher } from './change.ts';
import { publishChanges } from './events.ts';
import { readStates } from './image-state.ts';
import {
  coordinatesFound,
  coordinatesNamed,
  everyImage,
  groupsHolding,
  imagesWith,
  type TouchedGroups,
} from './touched.ts';

export interface MatchingOptions {
  readonly store: Pick<Store, 'db'>;
  readonly directory: ImageDirectory;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly archive: AdvisoryArchive;
}

/** What bringing all images to other advisory data took. */
export interface MatchingReport {
  readonly from: string | null;
  readonly to: string;
  /** Packages whose statements changed; null when all were matched because the file before is gone. */
  readonly touchedPackages: number | null;
  /** Images that hold one of them and were matched again. */
  readonly touchedImages: number;
  /** Images of which something was written, and how many rows. */
  readonly changedImages: number;
  readonly rows: number;
}

/** Images matched together; of which all packages are matched, fewer. */
const IMAGES = 200;
const WHOLE_IMAGES = 20;
/** Changed names handled together, to bound what is held in memory. */
const KEYS = 2_000;

type Tally = { touchedImages: number; readonly changed: Set<string>; rows: number };

/**
 * Brings every covered image to the newest advisory data: first ends an epoch that was left unfinished, then begins one
 * for the data in use now. Returns what was done; an empty list when all is up to date.
 */
export async function matchAdvisories(
  options: MatchingOptions,
  signal: AbortSignal,
): Promise<readonly MatchingReport[]> {
  const { store, archive, clock, logger } = options;
  const reports: MatchingReport[] = [];
  for (;;) {
    const current = await currentEpoch(store.db);
    if (current !== undefined && !current.finished) {
      const newer = await archive.open(current.digest);
      if (newer !== undefined) {
        try {
          reports.push(await completeEpoch(options, current.epoch, newer, signal));
        } finally {
          newer.close();
        }
        continue;
      }
      logger.warn({ digest: current.digest }, 'the advisory file of an unfinished match is gone');
    }
    const digest = await archive.keepLatest();
    const latest = await archive.open(digest);
    if (latest === undefined) continue;
    try {
      if (current?.digest === digest && current.finished) return reports;
      await beginEpoch(store.db, latest.info, new Date(clock.now()), current === undefined);
    } finally {
      latest.close();
    }
  }
}

async function completeEpoch(
  options: MatchingOptions,
  epoch: number,
  newer: AdvisoryFile,
  signal: AbortSignal,
): Promise<MatchingReport> {
  const { store, archive, clock, logger } = options;
  const finished = await lastFinished(store.db);
  // After an epoch that could not be ended, what its images were matched with is not one file any more.
  const from = finished !== undefined && finished.skipped === 0 ? finished.digest : null;
  const older = from === null ? undefined : await archive.open(from);
  const tally: Tally = { touchedImages: 0, changed: new Set(), rows: 0 };
  let touchedPackages: number | null = null;
  try {
    const matcher = new PackageMatcher(newer);
    if (older === undefined) {
      for await (const digests of everyImage(store.db, WHOLE_IMAGES)) {
        signal.throwIfAborted();
        await matchImages(options, digests, 'all', matcher, newer, tally);
      }
    } else {
      touchedPackages = await matchDifference(options, older, newer, matcher, tally, signal);
    }
    if (older === undefined || coverageOf(older) !== coverageOf(newer)) {
      await refreshNotices(options, matcher, signal);
    }
  } finally {
    older?.close();
  }
  await finishEpoch(
    store.db,
    epoch,
    { touchedPackages, changedImages: tally.changed.size },
    new Date(clock.now()),
  );
  await archive.keepOnly([newer.info.digest]);
  const { touchedImages, changed, rows } = tally;
  const report = {
    from,
    to: newer.info.digest,
    touchedPackages,
    touchedImages,
    changedImages: changed.size,
    rows,
  };
  logger.info(report, 'matched stored images with changed advisories');
  return report;
}

/** What notices depend on: they say which kinds of packages the data says nothing of. */
function coverageOf(file: AdvisoryFile): string {
  return [file.info.kind, ...file.ecosystems()].join('\n');
}

/** Rare, as an ecosystem appears or goes rarely: looks at every image, and writes where the notices change. */
async function refreshNotices(
  { store }: MatchingOptions,
  matcher: PackageMatcher,
  signal: AbortSignal,
): Promise<void> {
  for await (const digests of everyImage(store.db, WHOLE_IMAGES)) {
    signal.throwIfAborted();
    const states = await readStates(store.db, digests, 'all');
    await writeNotices(
      store.db,
      states.map((state) => ({ ...state, notices: matcher.notices(state) })),
    );
  }
}

/** Returns how many packages' statements changed. */
async function matchDifference(
  options: MatchingOptions,
  older: AdvisoryFile,
  newer: AdvisoryFile,
  matcher: PackageMatcher,
  tally: Tally,
  signal: AbortSignal,
): Promise<number> {
  let touched = 0;
  let packages: PackageKey[] = [];
  let advisories: string[] = [];
  const flush = async (): Promise<void> => {
    const { db } = options.store;
    const named = await coordinatesNamed(db, packages);
    const coordinates = [...new Set([...named, ...(await coordinatesFound(db, advisories))])];
    packages = [];
    advisories = [];
    const groups = await groupsHolding(db, coordinates);
    const images = await imagesWith(db, [...groups.keys()]);
    for (const digests of batches(images, IMAGES)) {
      signal.throwIfAborted();
      await matchImages(options, digests, groups, matcher, newer, tally);
    }
  };
  for (const step of differenceSteps(older, newer)) {
    touched += step.packages.length;
    packages.push(...step.packages);
    advisories.push(...step.advisories);
    if (packages.length + advisories.length >= KEYS) await flush();
    else await nextTurn();
  }
  await flush();
  return touched;
}

async function matchImages(
  options: MatchingOptions,
  digests: readonly string[],
  touched: TouchedGroups | 'all',
  matcher: PackageMatcher,
  advisories: AdvisoryFile,
  tally: Tally,
): Promise<void> {
  const { store, clock } = options;
  const states = await readStates(store.db, digests, touched);
  tally.touchedImages += states.length;
  const changes = states.flatMap((state) => {
    const change = matcher.change(state);
    return isWorthWriting(change, state) ? [change] : [];
  });
  const now = new Date(clock.now());
  await writeChanges(store.db, changes, now, async ({ changed, rows }) => {
    tally.rows += rows;
    for (const { digest } of changed) tally.changed.add(digest);
    await publishChanges(options, changed, advisories.info.digest, now);
  });
}

/**
 * Matches all packages of one image with the newest data: its scan had used other data. Resolves to whether the image
 * is covered now; it is not when there is newer data, or a newer scan, already.
 */
export async function matchImage(options: MatchingOptions, digest: string): Promise<boolean> {
  const { store, archive, clock, logger } = options;
  const current = await currentEpoch(store.db);
  const advisories = current && (await archive.open(current.digest));
  if (advisories === undefined) return false;
  try {
    const [state] = await readStates(store.db, [digest], 'all');
    if (state === undefined) return false;
    const matcher = new PackageMatcher(advisories);
    await matchImages(options, [digest], 'all', matcher, advisories, {
      touchedImages: 0,
      changed: new Set(),
      rows: 0,
    });
    const notices = matcher.notices(state);
    return await markMatched(
      store.db,
      state,
      { digest: advisories.info.digest, notices },
      new Date(clock.now()),
    );
  } catch (error) {
    logger.warn({ digest, err: error }, `an image could not be matched again: ${describeError(error)}`);
    throw error;
  } finally {
    advisories.close();
  }
}
