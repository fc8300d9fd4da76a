// One finding from everything that advisories say about one flaw of one package.
import type { Severity } from '../core/index.ts';
import { findingSeverity, type AdvisoryFacts } from '../advisories/index.ts';
import { isCve, type Flaw, type Statement } from './flaws.ts';
import type { Finding, ImagePackage, PackageKind } from './types.ts';

/** Words of distributions for flaws that will not be repaired in this release. */
const WILL_NOT_FIX = new Set(['end-of-life', 'ignored', 'wont-fix', 'will-not-fix', 'out-of-support']);

/** Whose word is taken first where several advisories describe the flaw: the ecosystem's own, then GitHub's. */
const PREFERRED: Readonly<Partial<Record<PackageKind, readonly string[]>>> = {
  dpkg: ['DEBIAN-', 'UBUNTU-', 'DSA-', 'USN-', 'DLA-'],
  apk: ['ALPINE-'],
  npm: ['GHSA-'],
  pypi: ['GHSA-', 'PYSEC-'],
  golang: ['GO-', 'GHSA-'],
};

/** Furthest first. */
const MATURITIES = ['attacked', 'functional', 'proof-of-concept', 'unreported'] as const;

const DEFAULT_ORDER: readonly string[] = ['GHSA-'];

/** Makes the finding. The layer's digest is not known here and left null. */
export function findingOf(item: ImagePackage, flaw: Flaw): Finding {
  const statements = ranked(item.kind, flaw.statements);
  const advisories = statements.map((statement) => statement.advisory);
  const chosen =
    statements.find(({ verdict }) => verdict.affected && verdict.fixed !== null) ?? statements[0];
  const fixed = chosen?.verdict.affected ? chosen.verdict.fixed : null;
  const id = flaw.ids.find(isCve) ?? flaw.ids.find((name) => name.startsWith('GHSA-')) ?? flaw.ids[0] ?? '';
  const scored = advisories.find((advisory) => advisory.cvssScore !== null);
  const vector = advisories.find((advisory) => advisory.cvssVector !== null);
  return {
    id,
    advisory: chosen?.advisory.id ?? id,
    aliases: flaw.ids.filter((name) => name !== id),
    purl: item.purl,
    kind: item.kind,
    package: item.name,
    installed: item.version,
    fixed,
    fixState: fixStateOf(fixed, statements),
    ...severityOf(statements),
    cvssScore: scored?.cvssScore ?? null,
    cvssVector: vector?.cvssVector ?? null,
    ...exploitationOf(advisories),
    title: titleOf(advisories, id),
    range: chosen?.verdict.affected ? chosen.verdict.range : '',
    layer: item.layer,
    layerDigest: null,
    path: item.path,
    state: 'open',
  };
}

/** How likely exploitation is and how far exploits are, from whichever advisory knows. */
function exploitationOf(
  advisories: readonly AdvisoryFacts[],
): Pick<Finding, 'epss' | 'epssPercentile' | 'exploited' | 'kev' | 'exploitMaturity'> {
  const rated = advisories.find((advisory) => advisory.epss !== null);
  const kev = advisories.find((advisory) => advisory.kev !== undefined)?.kev;
  const maturity = MATURITIES.find((word) =>
    advisories.some((advisory) => advisory.exploitMaturity === word),
  );
  return {
    epss: rated?.epss ?? null,
    ...(rated?.epssPercentile === undefined ? {} : { epssPercentile: rated.epssPercentile }),
    exploited: advisories.some((advisory) => advisory.exploited),
    ...(kev === undefined ? {} : { kev }),
    ...(maturity === undefined ? {} : { exploitMaturity: maturity }),
  };
}

function ranked(kind: PackageKind, statements: readonly Statement[]): readonly Statement[] {
  const order = PREFERRED[kind] ?? DEFAULT_ORDER;
  const rank = (statement: Statement): number => {
    const index = order.findIndex((prefix) => statement.advisory.id.startsWith(prefix));
    return index < 0 ? order.length : index;
  };
  return statements.toSorted((a, b) => rank(a) - rank(b) || (a.advisory.id < b.advisory.id ? -1 : 1));
}

/** The first rating in the order of preference; distributions rate per package. */
function severityOf(statements: readonly Statement[]): {
  readonly severity: Severity;
  readonly severitySource: string;
} {
  const ratings = statements.map(({ affected, advisory }) => findingSeverity(affected, advisory));
  return (
    ratings.find(({ severity }) => severity !== 'unknown') ?? { severity: 'unknown', severitySource: 'none' }
  );
}

function fixStateOf(fixed: string | null, statements: readonly Statement[]): Finding['fixState'] {
  if (fixed !== null) return 'fixed';
  if (statements.some(({ affected }) => WILL_NOT_FIX.has(affected.urgency ?? ''))) return 'will-not-fix';
  const bounded = statements.some(
    ({ affected }) =>
      affected.ranges.length === 0 || affected.ranges.some((range) => range.lastAffected !== undefined),
  );
  return bounded ? 'unknown' : 'not-fixed';
}

const MAX_TITLE = 200;

function titleOf(advisories: readonly AdvisoryFacts[], id: string): string {
  const text = advisories.find((advisory) => advisory.summary !== '')?.summary ?? id;
  return text.length > MAX_TITLE ? `${text.slice(0, MAX_TITLE - 1)}…` : text;
}
