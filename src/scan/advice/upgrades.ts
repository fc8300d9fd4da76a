// What to upgrade a package to: the nearest version that ends all its findings at once, not one finding each.
import {
  matchVersion,
  normalizePackageName,
  versionScheme,
  type AdvisoryFile,
  type AffectedPackage,
  type VersionScheme,
} from '../../advisories/index.ts';
import { queryOf, type Query } from '../match.ts';
import type { Finding, PackageKind, ScanReport, UpgradeAdvice } from '../types.ts';

/** Fixed versions looked at for one package; the kernel of a distribution has some hundreds. */
const MAX_CANDIDATES = 1_000;

interface Group {
  readonly kind: PackageKind;
  readonly query: Query;
  readonly findings: Finding[];
}

interface Candidate {
  readonly version: string;
  /** Ids of the open findings that it does not end. */
  readonly remain: ReadonlySet<string>;
  /** Advisories that hold for it and not for the installed version: going there would bring something new. */
  readonly brings: number;
}

/**
 * One upgrade for each package with an open finding that some version ends, most ended findings first. Of the versions
 * that end as many findings as can be ended, it is the one that brings the fewest new ones, and the nearest of those.
 * Binary packages of one source are one. The report must have been made with these advisories.
 */
export function adviseUpgrades(report: ScanReport, advisories: AdvisoryFile): readonly UpgradeAdvice[] {
  const groups = groupByQuery(report);
  return groups
    .flatMap((group) => adviceFor(group, advisories))
    .toSorted((a, b) => b.ends.length - a.ends.length || (a.name < b.name ? -1 : 1));
}

function groupByQuery(report: ScanReport): readonly Group[] {
  const packages = new Map(report.packages.map((item) => [item.purl, item]));
  const groups = new Map<string, Group>();
  for (const finding of report.findings) {
    const item = packages.get(finding.purl);
    const query = item === undefined ? undefined : queryOf(item, report.distribution);
    if (query === undefined || finding.state !== 'open') continue;
    const key = JSON.stringify([finding.kind, query.name, query.version]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind: finding.kind, query, findings: [finding] });
    else group.findings.push(finding);
  }
  return [...groups.values()];
}

function adviceFor({ kind, query, findings }: Group, advisories: AdvisoryFile): UpgradeAdvice[] {
  const { name, version: installed, ecosystems } = query;
  const scheme = versionScheme(ecosystems[0] ?? '');
  if (scheme === undefined) return [];
  const statements = ecosystems.flatMap((ecosystem) =>
    advisories.lookup(ecosystem, normalizePackageName(ecosystem, name)),
  );
  const best = candidateVersions(statements, installed, scheme)
    .map((version) => judge(version, installed, statements, findings, scheme))
    .reduce<Candidate | undefined>(
      (chosen, next) => (chosen === undefined || isBetter(next, chosen) ? next : chosen),
      undefined,
    );
  const ids = [...new Set(findings.map((finding) => finding.id))].toSorted();
  const ends = best === undefined ? [] : ids.filter((id) => !best.remain.has(id));
  if (best === undefined || ends.length === 0) return [];
  const remain = ids.filter((id) => best.remain.has(id));
  return [{ kind, name, installed, upgradeTo: best.version, ends, remain }];
}

/** Candidates come nearest first, so a later one must be better, not as good. */
function isBetter(next: Candidate, chosen: Candidate): boolean {
  return (
    next.remain.size < chosen.remain.size ||
    (next.remain.size === chosen.remain.size && next.brings < chosen.brings)
  );
}

function candidateVersions(
  statements: readonly AffectedPackage[],
  installed: string,
  scheme: VersionScheme,
): readonly string[] {
  const fixed = statements.flatMap(({ ranges }) => ranges.flatMap((range) => range.fixed ?? []));
  return [...new Set(fixed)]
    .filter((version) => version !== '0' && scheme.valid(version) && scheme.compare(version, installed) > 0)
    .toSorted((a, b) => scheme.compare(a, b))
    .slice(0, MAX_CANDIDATES);
}

function judge(
  version: string,
  installed: string,
  statements: readonly AffectedPackage[],
  findings: readonly Finding[],
  scheme: VersionScheme,
): Candidate {
  const remain = new Set<string>();
  let brings = 0;
  for (const statement of statements) {
    if (!matchVersion(statement, version, scheme).affected) continue;
    const open = findings.filter(({ advisory, aliases, id }) =>
      [advisory, id, ...aliases].includes(statement.advisory),
    );
    for (const finding of open) remain.add(finding.id);
    // What holds for the installed version too and is not open was exempted: it is no reason to stay.
    if (open.length === 0 && !matchVersion(statement, installed, scheme).affected) brings++;
  }
  return { version, remain, brings };
}
