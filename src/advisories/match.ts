// Is one version affected by what an advisory says of its package? (ossf.github.io/osv-schema, "Evaluation")
import type { AffectedPackage, AffectedRange, MatchVerdict, VersionScheme } from './types.ts';

/**
 * Decides whether `version` is affected: it lies in one of the ranges, or equals one of the listed versions. `fixed`
 * is the lowest fixed version above it that is not itself affected. A version that the scheme cannot read is compared
 * only with the listed versions; otherwise the verdict carries `undecided`. Never throws.
 */
export function matchVersion(
  affected: AffectedPackage,
  version: string,
  scheme: VersionScheme,
): MatchVerdict {
  if (!scheme.valid(version)) {
    const listed = affected.versions.includes(version);
    return listed
      ? { affected: true, fixed: null, range: `= ${version}` }
      : { affected: false, undecided: true };
  }
  const range = affected.ranges.find((candidate) => inRange(candidate, version, scheme));
  if (range !== undefined) {
    return { affected: true, fixed: nearestFix(affected, version, scheme), range: rangeInWords(range) };
  }
  const listed = affected.versions.find((candidate) => scheme.compare(candidate, version) === 0);
  if (listed === undefined) return { affected: false };
  return { affected: true, fixed: nearestFix(affected, version, scheme), range: `= ${listed}` };
}

/** `>= 1.0, < 1.2.3`, `<= 2.0`, or `all versions`. */
export function rangeInWords(range: AffectedRange): string {
  const bounds: string[] = [];
  if (range.introduced !== '0') bounds.push(`>= ${range.introduced}`);
  if (range.fixed !== undefined) bounds.push(`< ${range.fixed}`);
  if (range.lastAffected !== undefined) bounds.push(`<= ${range.lastAffected}`);
  if (range.limits !== undefined) bounds.push(`< ${range.limits.join(' or ')}`);
  return bounds.length === 0 ? 'all versions' : bounds.join(', ');
}

function inRange(range: AffectedRange, version: string, scheme: VersionScheme): boolean {
  // "0" stands for "before every version", whatever the scheme makes of the text; Alpine writes "never affected" so.
  if (range.fixed === '0') return false;
  if (range.introduced !== '0' && scheme.compare(version, range.introduced) < 0) return false;
  if (range.fixed !== undefined && scheme.compare(version, range.fixed) >= 0) return false;
  if (range.lastAffected !== undefined && scheme.compare(version, range.lastAffected) > 0) return false;
  return range.limits === undefined || range.limits.some((limit) => scheme.compare(version, limit) < 0);
}

function nearestFix(affected: AffectedPackage, version: string, scheme: VersionScheme): string | null {
  let nearest: string | null = null;
  for (const { fixed } of affected.ranges) {
    if (fixed === undefined || fixed === '0' || scheme.compare(fixed, version) <= 0) continue;
    if (nearest !== null && scheme.compare(fixed, nearest) >= 0) continue;
    if (affected.ranges.some((range) => inRange(range, fixed, scheme))) continue;
    nearest = fixed;
  }
  return nearest;
}
