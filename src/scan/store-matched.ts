// What an image was last matched with: its own match, or a later epoch that did not concern it. No row is touched for the latter.
import { sql } from 'kysely';
import type { ReportAdvisories } from './types.ts';

/** The newest data that covers a `scan_image i`; see `scan_advisory_epoch`. */
export const MATCHED_JOIN = sql`
  left join lateral (
    select e.epoch, e.digest, e.kind, e.built_at, e.advisories, e.finished_at from scan_advisory_epoch e
    where e.epoch = i.matched_epoch or (e.epoch > i.matched_epoch and e.finished_at is not null)
    order by e.epoch desc limit 1) m on true`;

export const MATCHED_COLUMNS = sql`i.matched_at,
  case when m.epoch > i.matched_epoch then m.finished_at end as covered_at, m.digest as matched_digest,
  m.kind as matched_kind, m.built_at as matched_built_at, m.advisories as matched_advisories,
  coalesce(m.epoch = (select epoch from scan_advisory_current where id = 1), false) as matched_is_current`;

export interface MatchedRow {
  readonly advisories: ReportAdvisories | null;
  readonly matched_at: Date | null;
  readonly covered_at: Date | null;
  readonly matched_digest: string | null;
  readonly matched_kind: string | null;
  readonly matched_built_at: Date | null;
  readonly matched_advisories: number | null;
  readonly matched_is_current: boolean;
}

export function matchedAt(row: MatchedRow): Date | null {
  return row.covered_at ?? row.matched_at;
}

/** The report's own words, with the identity and age of the data it was last matched with. */
export function matchedAdvisories(row: MatchedRow): ReportAdvisories | null {
  const { advisories, matched_digest: digest, matched_built_at: builtAt, matched_advisories: count } = row;
  const at = matchedAt(row);
  if (advisories === null || digest === null || builtAt === null || count === null || at === null)
    return advisories;
  if (advisories.digest === digest) return advisories;
  return {
    ...advisories,
    kind: row.matched_kind === 'starter' ? 'starter' : 'file',
    digest,
    builtAt: builtAt.toISOString(),
    ageHours: Math.max(0, at.getTime() - builtAt.getTime()) / 3_600_000,
    advisories: count,
  };
}
