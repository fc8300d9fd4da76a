// Why a vulnerability is, or is not, a finding of an image: every package its advisories speak of, with what was compared.
import {
  lookupAdvisories,
  matchVersion,
  normalizePackageName,
  rangeInWords,
  versionScheme,
  type Advisory,
  type AdvisoryFile,
  type AffectedPackage,
} from '../../advisories/index.ts';
import { queryOf, type Query } from '../match.ts';
import { isWithoutCode } from '../packages-without-code.ts';
import type { Finding, ImagePackage, ReportLayer, ScanReport } from '../types.ts';

/** What the advisories know under the id that was asked for. */
export interface ExplainedAdvisory {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly source: string;
  /** When it was withdrawn; a withdrawn advisory matches nothing. */
  readonly withdrawn: string | null;
}

/** `owned`: matched through the operating-system package that owns its file; `without-code`: headers, documentation. */
export type PackageVerdict = 'affected' | 'not-affected' | 'undecided' | 'owned' | 'without-code';

/** One statement about one package of the image, decided. */
export interface ExplainedPackage {
  readonly verdict: PackageVerdict;
  readonly package: string;
  readonly installed: string;
  readonly purl: string;
  readonly path: string;
  readonly layer: number;
  readonly layerDigest: string | null;
  /** The build instruction that made the layer. */
  readonly instruction: string | null;
  readonly ownedBy: string | null;
  readonly advisory: string;
  readonly advisorySource: string;
  readonly ecosystem: string;
  /** Name and version that were compared: those of the source package where advisories name it. */
  readonly comparedName: string;
  readonly comparedVersion: string;
  /** Name of the version scheme; null where there is none, so nothing can be said. */
  readonly scheme: string | null;
  /** The range that matched; for other verdicts all that the advisory names. */
  readonly ranges: readonly string[];
  readonly fixed: string | null;
  /** Word of the distribution, e.g. `unimportant`. */
  readonly urgency: string | null;
  /** The finding that came of it, with its state; null where there is none. */
  readonly finding: Finding | null;
}

/** `applies`, `exempt`, or the reason why there is no finding. */
export type ExplanationOutcome =
  | 'applies'
  | 'exempt'
  | 'not-affected'
  | 'undecided'
  | 'no-such-package'
  | 'no-such-advisory'
  | 'withdrawn'
  | 'not-scanned';

export interface Explanation {
  readonly id: string;
  readonly target: string;
  readonly platform: string | null;
  readonly outcome: ExplanationOutcome;
  readonly advisories: readonly ExplainedAdvisory[];
  /** Packages with a statement about the id, the affected ones first. */
  readonly packages: readonly ExplainedPackage[];
  /** Facts about the data: a missing id means little in a small file. */
  readonly data: ScanReport['advisories'];
}

/** Explains one id, in any case; aliases of the same flaw count too. The report must be of these advisories. */
export function explainFinding(id: string, report: ScanReport, advisories: AdvisoryFile): Explanation {
  const records = recordsOf(id, advisories);
  const ids = new Set(records.map((record) => record.id));
  const names = new Set([id.trim().toUpperCase(), ...ids].map((name) => name.toUpperCase()));
  const findings = report.findings.filter((finding) =>
    [finding.id, finding.advisory, ...finding.aliases].some((name) => names.has(name.toUpperCase())),
  );
  const packages = report.packages
    .flatMap((item) => explainPackage(item, ids, report, findings, advisories))
    .toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  return {
    id: id.trim(),
    target: report.target,
    platform: report.image?.platform ?? null,
    outcome: outcomeOf(report, records, packages, findings),
    advisories: records.map(({ id: own, aliases, summary, source, withdrawn }) => ({
      id: own,
      aliases,
      summary,
      source,
      withdrawn,
    })),
    packages,
    data: report.advisories,
  };
}

const ORDER: readonly PackageVerdict[] = ['affected', 'undecided', 'not-affected', 'owned', 'without-code'];

/** Records of the id, and those that speak of the same CVE. */
function recordsOf(id: string, file: AdvisoryFile): readonly Advisory[] {
  const found = lookupAdvisories(file, id);
  if (found.kind !== 'advisories') return [];
  const records = new Map(found.advisories.map((record) => [record.id, record]));
  const cves = found.advisories.flatMap((record) =>
    record.aliases.filter((alias) => alias.startsWith('CVE-')),
  );
  // A bulletin about many CVEs does not make them one flaw.
  if (new Set(cves).size === 1) {
    for (const other of [...cves.slice(0, 1), ...file.aliasedBy(cves[0] ?? '')]) {
      const record = file.advisory(other);
      if (record !== undefined) records.set(record.id, record);
    }
  }
  return [...records.values()];
}

function explainPackage(
  item: ImagePackage,
  ids: ReadonlySet<string>,
  report: ScanReport,
  findings: readonly Finding[],
  advisories: AdvisoryFile,
): ExplainedPackage[] {
  const query = queryOf(item, report.distribution);
  if (query === undefined) return [];
  return query.ecosystems.flatMap((ecosystem) =>
    advisories
      .lookup(ecosystem, normalizePackageName(ecosystem, query.name))
      .filter((entry) => ids.has(entry.advisory))
      .map((entry) => {
        const source = advisories.facts(entry.advisory)?.source ?? '';
        const layer = report.image?.layers[item.layer];
        const finding = findings.find(({ purl, path }) => purl === item.purl && path === item.path);
        return explainStatement(item, query, entry, source, layer, finding ?? null);
      }),
  );
}

function explainStatement(
  item: ImagePackage,
  query: Query,
  entry: AffectedPackage,
  source: string,
  layer: ReportLayer | undefined,
  finding: Finding | null,
): ExplainedPackage {
  const scheme = query.version === '(devel)' ? undefined : versionScheme(entry.ecosystem);
  const decided = scheme && matchVersion(entry, query.version, scheme);
  const compared: PackageVerdict =
    decided === undefined
      ? 'undecided'
      : decided.affected
        ? 'affected'
        : decided.undecided
          ? 'undecided'
          : 'not-affected';
  const verdict = item.ownedBy !== undefined ? 'owned' : isWithoutCode(item) ? 'without-code' : compared;
  const all = [...entry.ranges.map(rangeInWords), ...entry.versions.map((version) => `= ${version}`)];
  return {
    verdict,
    package: item.name,
    installed: item.version,
    purl: item.purl,
    path: item.path,
    layer: item.layer,
    layerDigest: layer?.digest ?? null,
    instruction: layer?.instruction ?? null,
    ownedBy: item.ownedBy ?? null,
    advisory: entry.advisory,
    advisorySource: source,
    ecosystem: entry.ecosystem,
    comparedName: query.name,
    comparedVersion: query.version,
    scheme: scheme?.name ?? null,
    ranges: decided?.affected ? [decided.range] : all.slice(0, MAX_RANGES),
    fixed: decided?.affected ? decided.fixed : null,
    urgency: entry.urgency ?? null,
    finding: verdict === 'affected' ? finding : null,
  };
}

const MAX_RANGES = 20;

function outcomeOf(
  report: ScanReport,
  records: readonly Advisory[],
  packages: readonly ExplainedPackage[],
  findings: readonly Finding[],
): ExplanationOutcome {
  if (report.status === 'unscannable') return 'not-scanned';
  if (findings.some((finding) => finding.state !== 'exempt')) return 'applies';
  if (findings.length > 0) return 'exempt';
  if (records.length === 0) return 'no-such-advisory';
  if (records.every((record) => record.withdrawn !== null)) return 'withdrawn';
  if (packages.length === 0) return 'no-such-package';
  return packages.some(({ verdict }) => verdict === 'undecided') ? 'undecided' : 'not-affected';
}
