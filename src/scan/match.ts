// Packages against advisories: distribution packages by source name, language packages by ecosystem; one finding per flaw.
import {
  distributionEcosystem,
  matchVersion,
  normalizePackageName,
  versionScheme,
  type AdvisoryFile,
  type AffectedPackage,
} from '../advisories/index.ts';
import { isSystemKind } from './compose.ts';
import { findingOf } from './finding.ts';
import { cveInId, groupByFlaw, type Flaw, type Statement } from './flaws.ts';
import { isWithoutCode } from './packages-without-code.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import type { DistributionRelease, Finding, ImagePackage, PackageKind, ScanProblem } from './types.ts';

export interface MatchResult {
  /** Sorted by package, then by id. Layer digests are filled in by the caller. */
  readonly findings: readonly Finding[];
  readonly problems: readonly ScanProblem[];
  /** What the reader must know about the data, e.g. that a distribution has none. */
  readonly notices: readonly string[];
}

const LANGUAGE_ECOSYSTEMS: Readonly<Record<'npm' | 'pypi' | 'golang', string>> = {
  npm: 'npm',
  pypi: 'PyPI',
  golang: 'Go',
};

/** What is looked up for a package. */
interface Query {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
}

type Answer =
  | { readonly known: true; readonly flaws: readonly Flaw[] }
  /** Advisories exist, but the version says nothing. */
  | { readonly known: false; readonly advisories: number };

/**
 * Matches composed packages. Packages owned by an operating-system package are matched through their owner only, and
 * packages without code (headers, documentation) not at all. What has no data is said in `notices`, never passed over.
 */
export function matchPackages(
  packages: readonly ImagePackage[],
  distribution: DistributionRelease | null,
  advisories: AdvisoryFile,
): MatchResult {
  const matcher = new Matcher(advisories, distribution);
  const findings: Finding[] = [];
  const problems: ScanProblem[] = [];
  for (const item of packages) {
    if (item.ownedBy !== undefined || isWithoutCode(item)) continue;
    const answer = matcher.answer(item);
    if (answer === undefined) continue;
    if (answer.known) for (const flaw of answer.flaws) findings.push(findingOf(item, flaw));
    else {
      const message = `version of ${item.name} is not known: ${answer.advisories} advisories about it were not matched`;
      problems.push({ code: PROBLEM_CODES.versionUnknown, message, layer: item.layer, path: item.path });
    }
  }
  return { findings, problems, notices: noticesOf(packages, distribution, advisories) };
}

/** Answers once for every source package and version, however many binary packages were built of it. */
class Matcher {
  readonly #answers = new Map<string, Answer | undefined>();
  readonly #advisories: AdvisoryFile;
  readonly #distribution: DistributionRelease | null;

  constructor(advisories: AdvisoryFile, distribution: DistributionRelease | null) {
    this.#advisories = advisories;
    this.#distribution = distribution;
  }

  answer(item: ImagePackage): Answer | undefined {
    const query = queryOf(item, this.#distribution);
    if (query === undefined) return undefined;
    const key = `${query.ecosystem}\n${query.name}\n${query.version}`;
    if (this.#answers.has(key)) return this.#answers.get(key);
    const answer = this.#ask(query, isSystemKind(item.kind));
    this.#answers.set(key, answer);
    return answer;
  }

  #ask(query: Query, system: boolean): Answer | undefined {
    const stated = this.#advisories.lookup(query.ecosystem, query.name);
    if (stated.length === 0) return undefined;
    const scheme = versionScheme(query.ecosystem);
    if (scheme === undefined || query.version === '(devel)')
      return { known: false, advisories: stated.length };
    const affected: Statement[] = [];
    const cleared: AffectedPackage[] = [];
    let undecided = 0;
    for (const entry of stated) {
      const verdict = matchVersion(entry, query.version, scheme);
      if (!verdict.affected) {
        if (verdict.undecided === true) undecided++;
        else cleared.push(entry);
        continue;
      }
      const advisory = this.#advisories.facts(entry.advisory);
      if (advisory === undefined || advisory.withdrawn !== null) continue;
      affected.push({ affected: entry, verdict, advisory, ids: [advisory.id, ...advisory.aliases] });
    }
    if (affected.length === 0) return undecided > 0 ? { known: false, advisories: undecided } : undefined;
    const flaws = groupByFlaw(affected);
    return { known: true, flaws: system ? flaws.filter((flaw) => !this.#isFixed(flaw, cleared)) : flaws };
  }

  /**
   * The distribution's own later word wins: a flaw that one source still calls open, and another source of the same
   * distribution calls fixed in a version at or below the installed one, is fixed.
   */
  #isFixed(flaw: Flaw, cleared: readonly AffectedPackage[]): boolean {
    if (flaw.statements.some(({ verdict }) => verdict.affected && verdict.fixed !== null)) return false;
    const ids = new Set(flaw.ids);
    return cleared.some((entry) => {
      if (!entry.ranges.some((range) => range.fixed !== undefined && range.fixed !== '0')) return false;
      const cve = cveInId(entry.advisory);
      if (cve !== undefined) return ids.has(cve);
      const aliases = this.#advisories.facts(entry.advisory)?.aliases ?? [];
      return aliases.some((alias) => ids.has(alias));
    });
  }
}

function queryOf(item: ImagePackage, distribution: DistributionRelease | null): Query | undefined {
  const ecosystem = ecosystemOf(item.kind, distribution);
  if (ecosystem === undefined) return undefined;
  if (isSystemKind(item.kind)) {
    const { name, version } = item.source ?? item;
    return { ecosystem, name: normalizePackageName(ecosystem, name), version };
  }
  const version = item.kind === 'golang' ? item.version.replace(/^v(?=\d)/, '') : item.version;
  return { ecosystem, name: normalizePackageName(ecosystem, item.name), version };
}

function ecosystemOf(kind: PackageKind, distribution: DistributionRelease | null): string | undefined {
  if (kind === 'dpkg' || kind === 'apk') {
    return distribution === null ? undefined : (distributionEcosystem(distribution) ?? undefined);
  }
  return LANGUAGE_ECOSYSTEMS[kind];
}

function noticesOf(
  packages: readonly ImagePackage[],
  distribution: DistributionRelease | null,
  advisories: AdvisoryFile,
): string[] {
  const notices: string[] = [];
  const { info } = advisories;
  if (info.kind === 'starter') {
    notices.push(
      `starter advisories: ${info.advisories} entries; run "breakwater advisories update" for all of them`,
    );
  }
  const present = new Set(advisories.ecosystems());
  for (const kind of new Set(packages.map((item) => item.kind))) {
    const ecosystem = ecosystemOf(kind, distribution);
    if (ecosystem !== undefined && present.has(ecosystem)) continue;
    const count = packages.filter((item) => item.kind === kind).length;
    const system = isSystemKind(kind);
    const what = !system ? ecosystem : (distribution?.prettyName ?? 'an unknown distribution');
    notices.push(`no advisories for ${what}: its ${count} ${kind} packages are listed, not matched`);
  }
  return notices;
}
