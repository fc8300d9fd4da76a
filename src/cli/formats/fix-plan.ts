// What to fix first: findings grouped by the upgrade that ends them, most urgent upgrade first.
import { severityRank, type Severity } from '../../core/index.ts';
import { compareFindings, type Finding, type ScanReport } from '../../scan/index.ts';

/** One upgrade and what it ends. */
export interface Fix {
  /** Source package of operating-system packages, else the package. */
  readonly name: string;
  readonly installed: string;
  /** The lowest version that ends every fixable finding of the group. */
  readonly upgradeTo: string;
  /** Names of the installed packages that the upgrade covers. */
  readonly packages: readonly string[];
  readonly findings: number;
  readonly exploited: number;
  readonly severity: Severity;
  readonly layer: number;
  readonly path: string;
}

interface Group {
  readonly name: string;
  readonly findings: Finding[];
  readonly packages: Set<string>;
  upgradeTo: string;
  readonly advised: string | undefined;
}

/** Most urgent first: exploited, then severity, then probability of exploitation, then how many it ends. */
export function planFixes(
  report: ScanReport,
  compareVersions: (kind: string, a: string, b: string) => number,
): readonly Fix[] {
  const sources = new Map(report.packages.map((item) => [item.purl, item.source ?? item]));
  const advised = new Map(
    report.upgrades?.map(({ kind, name, installed, upgradeTo }) => [
      JSON.stringify([kind, name, installed]),
      upgradeTo,
    ]),
  );
  const groups = new Map<string, Group>();
  for (const finding of report.findings) {
    if (finding.fixed === null || finding.state !== 'open') continue;
    const source = sources.get(finding.purl) ?? { name: finding.package, version: finding.installed };
    const { name } = source;
    const key = JSON.stringify([finding.kind, name, finding.installed, finding.layer]);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, {
        name,
        findings: [finding],
        packages: new Set([finding.package]),
        // The report's own advice has seen all the ranges; without it the highest of the nearest fixes must do.
        advised: advised.get(JSON.stringify([finding.kind, name, source.version])),
        upgradeTo: finding.fixed,
      });
      continue;
    }
    group.findings.push(finding);
    group.packages.add(finding.package);
    if (compareVersions(finding.kind, finding.fixed, group.upgradeTo) > 0) group.upgradeTo = finding.fixed;
  }
  return [...groups.values()]
    .toSorted((a, b) => compareUrgency(a.findings, b.findings) || compareText(a.name, b.name))
    .flatMap((group) => toFix(group));
}

function toFix(group: Group): Fix[] {
  const worst = group.findings.toSorted(compareFindings)[0];
  if (worst === undefined) return [];
  const distinct = new Map(group.findings.map((finding) => [finding.id, finding]));
  const severities = group.findings.map((finding) => finding.severity);
  return [
    {
      name: group.name,
      installed: worst.installed,
      upgradeTo: group.advised ?? group.upgradeTo,
      packages: [...group.packages].toSorted(compareText),
      findings: distinct.size,
      exploited: [...distinct.values()].filter((finding) => finding.exploited).length,
      severity: severities.reduce((most, next) => (severityRank(next) < severityRank(most) ? next : most)),
      layer: worst.layer,
      path: worst.path,
    },
  ];
}

function compareUrgency(a: readonly Finding[], b: readonly Finding[]): number {
  return (
    count(b, (finding) => finding.exploited) - count(a, (finding) => finding.exploited) ||
    worstRank(a) - worstRank(b) ||
    highestEpss(b) - highestEpss(a) ||
    b.length - a.length
  );
}

function worstRank(findings: readonly Finding[]): number {
  return findings.reduce((worst, finding) => Math.min(worst, severityRank(finding.severity)), 99);
}

function highestEpss(findings: readonly Finding[]): number {
  return findings.reduce((highest, finding) => Math.max(highest, finding.epss ?? 0), 0);
}

function count(findings: readonly Finding[], wanted: (finding: Finding) => boolean): number {
  return findings.reduce((sum, finding) => sum + (wanted(finding) ? 1 : 0), 0);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
