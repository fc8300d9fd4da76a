// Is the distribution release still supported on a given day? (library/distributions/end-of-life.json)
import table from '../../library/distributions/end-of-life.json' with { type: 'json' };
import type { DistributionRelease, DistributionSupport } from './types.ts';

interface Release {
  readonly version: string;
  readonly until: string;
  readonly extended?: { readonly name: string; readonly until: string; readonly free: boolean };
}

const DISTRIBUTIONS: ReadonlyMap<string, readonly Release[]> = new Map(Object.entries(table.distributions));
const ROLLING = new Set(table.rolling);
const UNKNOWN: DistributionSupport = { status: 'unknown', supportedUntil: null, paidSupport: null };

/** Support of a release at a time, in milliseconds since 1970. The last day of support counts in full, in UTC. */
export function distributionSupport(release: DistributionRelease, now: number): DistributionSupport {
  if (ROLLING.has(release.id)) return { status: 'supported', supportedUntil: null, paidSupport: null };
  const found = releaseOf(release);
  if (found === undefined) return UNKNOWN;
  const { until, extended } = found;
  const supportedUntil = lastDay(extended?.free === true ? extended.until : until);
  const paid = extended?.free === false ? { name: extended.name, until: lastDay(extended.until) } : null;
  const today = new Date(now).toISOString().slice(0, 10);
  return {
    status: today <= supportedUntil ? 'supported' : 'endOfLife',
    supportedUntil,
    paidSupport: paid !== null && today <= paid.until ? paid : null,
  };
}

/** In words what the reader must know of it: only the end of life. */
export function supportNotices(
  release: DistributionRelease,
  support: DistributionSupport,
): readonly string[] {
  if (support.status !== 'endOfLife') return [];
  const { supportedUntil, paidSupport } = support;
  const paid =
    paidSupport === null ? '' : `, save for subscribers of ${paidSupport.name} until ${paidSupport.until}`;
  return [
    `${release.prettyName} reached end of life on ${supportedUntil}: flaws found since then are not fixed in it${paid}`,
  ];
}

function releaseOf({ id, versionId, prettyName }: DistributionRelease): Release | undefined {
  // Pre-releases (Alpine's `3.21.0_alpha20240923`) have no end yet.
  if (versionId === null || versionId.includes('_')) return undefined;
  const key =
    id === 'centos' && /\bStream\b/.test(prettyName) ? 'centos-stream' : id === 'sled' ? 'sles' : id;
  return DISTRIBUTIONS.get(key)?.find(
    ({ version }) => versionId === version || (versionId.startsWith(`${version}.`) && key !== 'sles'),
  );
}

/** The last day of `2024-06`, or the day itself. */
function lastDay(date: string): string {
  const [year = 0, month = 0, day] = date.split('-').map(Number);
  return day === undefined ? new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10) : date;
}
