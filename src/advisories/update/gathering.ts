// Downloads all feeds, a few at a time, and says what each of them gave.
import type { NamedPath } from '../sources/index.ts';
import { downloadFeed, type DownloadContext, type DownloadOutcome } from './download.ts';
import type { Feed } from './feeds.ts';

/** Told when a feed is done. */
export interface FeedProgress {
  readonly feed: string;
  readonly outcome: DownloadOutcome['kind'];
  readonly done: number;
  readonly total: number;
}

export interface GatheredFeeds {
  readonly paths: readonly NamedPath[];
  /** When the publisher of the oldest of them last said that it is the newest, in milliseconds; null without any. */
  readonly checkedAt: number | null;
  /** Feeds that could not be had and of which there is no copy. */
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

const PARALLEL = 3;
const MAX_WARNINGS = 40;

/** Gets every feed that can be had. Throws only when aborted. */
export async function gatherFeeds(
  feeds: readonly Feed[],
  context: DownloadContext,
  onProgress: (progress: FeedProgress) => void,
): Promise<GatheredFeeds> {
  const outcomes = new Map<Feed, DownloadOutcome>();
  const waiting = [...feeds];
  const work = async (): Promise<void> => {
    for (let feed = waiting.shift(); feed !== undefined; feed = waiting.shift()) {
      const outcome = await downloadFeed(feed, context);
      outcomes.set(feed, outcome);
      onProgress({ feed: feed.id, outcome: outcome.kind, done: outcomes.size, total: feeds.length });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const paths: NamedPath[] = [];
  const times: number[] = [];
  const missing: string[] = [];
  for (const feed of feeds) {
    const outcome = outcomes.get(feed);
    if (outcome === undefined || outcome.kind === 'missing') {
      missing.push(feed.id);
      continue;
    }
    paths.push({ path: outcome.path, name: feed.id });
    times.push(outcome.checkedAt);
  }
  return {
    paths,
    checkedAt: times.length === 0 ? null : Math.min(...times),
    missing,
    warnings: warningsOf(outcomes),
  };
}

/** One line instead of one per feed when there is no network at all. */
function warningsOf(outcomes: ReadonlyMap<Feed, DownloadOutcome>): readonly string[] {
  const failed = [...outcomes].flatMap(([feed, outcome]) =>
    'problem' in outcome ? [{ feed, outcome }] : [],
  );
  const [first] = failed;
  if (first === undefined) return [];
  if (failed.length === outcomes.size && failed.every(({ outcome }) => outcome.problem.unreachable)) {
    return [
      `no publisher can be reached: this machine seems to be offline (${first.outcome.problem.reason})`,
    ];
  }
  return failed.slice(0, MAX_WARNINGS).map(({ feed, outcome }) => {
    const copy =
      outcome.kind === 'cached'
        ? `the copy of ${new Date(outcome.checkedAt).toISOString()} is used`
        : 'there is no copy of it';
    return `${feed.id} could not be downloaded, ${copy}: ${outcome.problem.reason}`;
  });
}
