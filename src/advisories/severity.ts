// Which severity a finding shows: the distribution's word first, then CVSS, then the database's word, then CVE data.
import { type Severity, SEVERITIES } from '../core/index.ts';
import { scoreCvss, severityOfScore } from './cvss.ts';
import type { CveFacts } from './enrichment.ts';
import type { SeverityStatement } from './osv.ts';
import type { AdvisoryFacts, AffectedPackage } from './types.ts';

export type ResolvedSeverity = Pick<
  AdvisoryFacts,
  'severity' | 'severitySource' | 'cvssVector' | 'cvssScore'
>;

interface Scored {
  readonly version: '2' | '3' | '4';
  readonly vector: string;
  readonly score: number;
}

const WORDS: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  important: 'high',
  high: 'high',
  moderate: 'medium',
  medium: 'medium',
  low: 'low',
  negligible: 'informational',
  unimportant: 'informational',
  informational: 'informational',
  none: 'informational',
};

/** Ecosystems whose publisher is the distribution itself, so that its word counts before any CVSS score. */
const DISTRIBUTIONS = new Set([
  'Debian',
  'Ubuntu',
  'Alpine',
  'Alpaquita',
  'Wolfi',
  'Chainguard',
  'AlmaLinux',
  'Rocky Linux',
  'Red Hat',
  'SUSE',
  'openSUSE',
  'Amazon Linux',
  'Oracle Linux',
  'Fedora',
  'Photon OS',
  'Azure Linux',
  'CBL-Mariner',
  'CleanStart',
  'BellSoft Hardened Containers',
]);

/** Is this OSV ecosystem a Linux distribution's? */
export function isDistribution(ecosystem: string): boolean {
  const colon = ecosystem.indexOf(':');
  return DISTRIBUTIONS.has(colon < 0 ? ecosystem : ecosystem.slice(0, colon));
}

/** Weighs what a record and the CVE data say. `distribution` tells whether the record is a distribution's own. */
export function resolveSeverity(
  statement: SeverityStatement,
  distribution: boolean,
  cves: readonly Pick<CveFacts, 'vectors'>[],
): ResolvedSeverity {
  const scored = bestOf(statement.vectors);
  const meta = bestOf(cves.flatMap((cve) => cve.vectors));
  const word = WORDS[statement.word?.toLowerCase() ?? ''];
  const cvssVector = (scored ?? meta)?.vector ?? null;
  const cvssScore = scored?.score ?? statement.score ?? meta?.score ?? null;
  const result = (severity: Severity, severitySource: string) => ({
    severity,
    severitySource,
    cvssVector,
    cvssScore,
  });
  if (distribution && word !== undefined) return result(word, 'distribution');
  if (scored !== undefined) return result(severityOfScore(scored.score), `cvss${scored.version}`);
  if (word !== undefined) return result(word, 'database');
  if (statement.score !== null) return result(severityOfScore(statement.score), 'database');
  if (meta !== undefined) return result(severityOfScore(meta.score), 'cve-meta');
  return result('unknown', 'none');
}

/**
 * The severity of a finding: the distribution's urgency for this very package where it has one (Debian rates per
 * package), else the advisory's. `not yet assigned` and `end-of-life` are no ratings.
 */
export function findingSeverity(
  affected: AffectedPackage,
  facts: Pick<AdvisoryFacts, 'severity' | 'severitySource'>,
): { readonly severity: Severity; readonly severitySource: string } {
  const urgency = affected.ecosystem.startsWith('Debian') ? WORDS[affected.urgency ?? ''] : undefined;
  if (urgency !== undefined) return { severity: urgency, severitySource: 'distribution' };
  return { severity: facts.severity, severitySource: facts.severitySource };
}

/** Reads a severity word of our own vocabulary. */
export function isSeverity(value: unknown): value is Severity {
  return SEVERITIES.some((severity) => severity === value);
}

/** The highest scored vector of the newest version. */
function bestOf(vectors: readonly string[]): Scored | undefined {
  let best: Scored | undefined;
  for (const vector of vectors) {
    const scored = scoreCvss(vector);
    if (scored === undefined) continue;
    const candidate: Scored = { ...scored, vector };
    if (best === undefined || outranks(candidate, best)) best = candidate;
  }
  return best;
}

function outranks(a: Scored, b: Scored): boolean {
  return a.version === b.version ? a.score > b.score : a.version > b.version;
}
