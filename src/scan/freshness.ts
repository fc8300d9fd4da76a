// Why a stored image is kept fresh, and whether what is known of it is still what a scan would find now.
import type { StoredImage } from '../core/index.ts';
import { scanVersions } from './scan-versions.ts';
import type { ImageScan } from './store.ts';

/**
 * `push` and `pull`: within the last 30 days; `on-demand`: asked for in that time; `schedule`: the server scans every
 * image again some days after its catalogers changed; `in-use`: a connected cluster runs it.
 */
export const FRESHNESS_REASONS = ['push', 'pull', 'in-use', 'on-demand', 'schedule'] as const;
export type FreshnessReason = (typeof FRESHNESS_REASONS)[number];

/** How long a push, a pull or a request keeps an image fresh, in days. */
export const FRESH_DAYS = 30;

export interface ImageFreshness {
  /** Why the image is scanned again when catalogers change; without a reason it is not. */
  readonly reasons: readonly FreshnessReason[];
  /** When its packages were last matched with advisories; for an index, the oldest of its images. */
  readonly matchedAt: string | null;
  /** Identity of the advisory data it was matched with. */
  readonly advisories: string | null;
  /** Would a scan with the data and the catalogers of now find the same? */
  readonly current: boolean;
  /** In words what is not current; null when all is. */
  readonly statement: string | null;
}

const DAY_MS = 86_400_000;

/** The freshness of an image, given the scan of it or, for an index, those of its stored images. */
export function freshnessOf(
  image: Pick<StoredImage, 'kind' | 'locations'>,
  scans: readonly (ImageScan | undefined)[],
  context: { readonly now: number; readonly scheduled: boolean },
): ImageFreshness {
  const known = scans.filter((scan) => scan !== undefined);
  const matched = known.flatMap((scan) => scan.matchedAt ?? []);
  const complete = scans.length > 0 && matched.length === scans.length;
  const matchedAt = complete ? (matched.toSorted()[0] ?? null) : null;
  const oldest = known.find((scan) => scan.matchedAt === matchedAt);
  const current = complete && known.every(isUpToDate);
  return {
    reasons: reasonsOf(image, known, context),
    matchedAt,
    advisories: complete ? (oldest?.advisories?.digest ?? null) : null,
    current,
    statement: current ? null : statementOf(matchedAt, known),
  };
}

function isUpToDate(scan: ImageScan): boolean {
  const ended = scan.status === 'finished' || scan.status === 'unscannable';
  return ended && scan.matchedCurrent && scan.catalogers === scanVersions;
}

function statementOf(matchedAt: string | null, scans: readonly ImageScan[]): string {
  if (matchedAt === null) return 'not scanned yet';
  if (scans.some((scan) => !scan.matchedCurrent)) return `not matched since ${matchedAt}`;
  if (scans.some((scan) => scan.catalogers !== scanVersions))
    return `not scanned since the catalogers changed; matched ${matchedAt}`;
  return `not scanned again since ${matchedAt}`;
}

function reasonsOf(
  { locations }: Pick<StoredImage, 'locations'>,
  scans: readonly ImageScan[],
  { now, scheduled }: { readonly now: number; readonly scheduled: boolean },
): readonly FreshnessReason[] {
  const recent = (at: string | null): boolean => at !== null && now - Date.parse(at) < FRESH_DAYS * DAY_MS;
  const applies: Readonly<Record<FreshnessReason, boolean>> = {
    push: locations.some((location) => recent(location.pushedAt)),
    pull: locations.some((location) => recent(location.lastPulledAt)),
    // Clusters declare what they run once they can be connected.
    'in-use': false,
    'on-demand': scans.some((scan) => scan.trigger === 'on-demand' && recent(scan.requestedAt)),
    schedule: scheduled,
  };
  return FRESHNESS_REASONS.filter((reason) => applies[reason]);
}
