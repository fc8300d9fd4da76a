// Packages against advisories: distribution packages by source name, language packages by ecosystem; one finding per flaw.
import {
  advisoriesLackEpoch,
  advisoryNaming,
  distributionEcosystem,
  goToolchainVersion,
  matchVersion,
  normalizePackageName,
  subscriptionOf,
  versionScheme,
  type AdvisoryFile,
  type AffectedPackage,
  type MatchVerdict,
} from '../advisories/index.ts';
import { isSystemKind } from './compose.ts';
import { erratumConcerns, fixesBranchOf } from './errata.ts';
import { findingOf } from './finding.ts';
import { groupByFlaw, isCve, type Flaw, type Statement } from './flaws.ts';
import { isWithoutCode } from './packages-without-code.ts';
import { advisoryNameOf as programAdvisoryName } from './packages/program/table.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { preferFreeFixes, subscriptionNotices } from './subscription-fixes.ts';
import type { DistributionRelease, Finding, ImagePackage, PackageKind, ScanProblem } from './types.ts';

export interface MatchResult {
  /** Sorted by package, then by id. Layer digests are filled in by the caller. */
  readonly findings: readonly Finding[];
  readonly problems: readonly ScanProblem[];
  /** What the reader must know about the data, e.g. that a distribution has none. */
  readonly notices: readonly string[];
}

/** OSV ecosystems of language packages; empty where no source of advisories speaks of that kind. */
const LANGUAGE_ECOSYSTEMS: Readonly<Record<Exclude<PackageKind, 'dpkg' | 'apk' | 'rpm'>, readonly string[]>> =
  {
    npm: ['npm'],
    pypi: ['PyPI'],
    golang: ['Go'],
    maven: ['Maven'],
    nuget: ['NuGet'],
    gem: ['RubyGems'],
    cargo: ['crates.io'],
    // Drupal's own repository has advisories of its own.
    composer: ['Packagist', 'Packagist:https://packages.drupal.org/8'],
    pub: ['Pub'],
    hex: ['Hex'],
    swift: ['SwiftURL'],
    conda: [],
    program: ['Bitnami'],
  };

/** What is looked up for a package. */
export interface Query {
  readonly ecosystems: readonly string[];
  readonly name: string;
  readonly version: string;
  /** RPM: `name:stream` of the module that the package came from. */
  readonly stream?: string;
}

interface Answer {
  readonly flaws: readonly Flaw[];
  /** Advisories that exist, but could not be compared with the installed version. */
  readonly undecided: number;
}

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
    for (const flaw of answer.flaws) findings.push(findingOf(item, flaw));
    if (answer.undecided > 0) {
      const message = `${whyUndecided(item)}: ${answer.undecided} advisories about it were not matched`;
      problems.push({ code: PROBLEM_CODES.versionUnknown, message, layer: item.layer, path: item.path });
    }
  }
  const notices = [...noticesOf(packages, distribution, advisories), ...subscriptionNotices(findings)];
  return { findings, problems, notices };
}

function whyUndecided({ kind, name, version }: ImagePackage): string {
  if (version === '(devel)') return `version of ${name} is not known`;
  if (kind === 'rpm' && /\.module[+_]/.test(version))
    return `module stream of ${name} or of its advisories is not known`;
  return `version of ${name} ${version} is not understood`;
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
    const key = `${query.ecosystems.join()}\n${query.name}\n${query.version}\n${query.stream ?? ''}`;
    if (this.#answers.has(key)) return this.#answers.get(key);
    const answer = this.#ask(query);
    this.#answers.set(key, answer);
    return answer;
  }

  #ask(query: Query): Answer | undefined {
    const weighed: Weighed = {
      affected: [],
      repaired: { forAll: new Set(), forSubscribers: new Set() },
      repairedFlaws: new Set(),
      undecided: 0,
    };
    for (const ecosystem of query.ecosystems) {
      for (const entry of this.#advisories.lookup(ecosystem, normalizePackageName(ecosystem, query.name))) {
        this.#weigh(entry, ecosystem, query, weighed);
      }
    }
    const { affected, repaired, repairedFlaws, undecided } = weighed;
    if (affected.length + undecided === 0) return undefined;
    const flaws = groupByFlaw(preferFreeFixes(affected, repaired));
    return { flaws: flaws.filter(({ ids }) => !ids.some((id) => repairedFlaws.has(id))), undecided };
  }

  #weigh(
    entry: AffectedPackage,
    ecosystem: string,
    { version, stream }: Pick<Query, 'version' | 'stream'>,
    into: Weighed,
  ): void {
    const scheme = versionScheme(ecosystem);
    const verdict = scheme && version !== '(devel)' ? matchVersion(entry, version, scheme) : UNDECIDED;
    if (!verdict.affected) {
      if (verdict.undecided === true) {
        into.undecided++;
        return;
      }
      const { forAll, forSubscribers } = into.repaired;
      (subscriptionOf(ecosystem) === undefined ? forAll : forSubscribers).add(entry.advisory);
      if (scheme?.name !== 'rpm' || !fixesBranchOf(version, entry)) return;
    }
    const advisory = this.#advisories.facts(entry.advisory);
    if (advisory === undefined || advisory.withdrawn !== null) return;
    const concerns = scheme?.name === 'rpm' ? erratumConcerns(version, stream, entry, advisory) : 'yes';
    if (concerns === 'undecided' && verdict.affected) into.undecided++;
    if (concerns !== 'yes') return;
    const ids = [advisory.id, ...advisory.aliases];
    if (verdict.affected) into.affected.push({ affected: entry, verdict, advisory, ids });
    else for (const id of ids) if (isCve(id)) into.repairedFlaws.add(id);
  }
}

/** What the advisories about one package come to. */
interface Weighed {
  readonly affected: Statement[];
  /** Advisories that do not hold for the installed version, by whom they speak to. */
  readonly repaired: { readonly forAll: Set<string>; readonly forSubscribers: Set<string> };
  /** CVEs that the installed version's own branch has repaired. */
  readonly repairedFlaws: Set<string>;
  undecided: number;
}

const UNDECIDED: MatchVerdict = { affected: false, undecided: true };

/** What is looked up for a package; undefined where no advisories speak of its kind or distribution. */
export function queryOf(item: ImagePackage, distribution: DistributionRelease | null): Query | undefined {
  const ecosystems = ecosystemsOf(item.kind, distribution);
  if (ecosystems.length === 0) return undefined;
  if (isSystemKind(item.kind)) return systemQuery(item, ecosystems);
  if (item.kind === 'program') return programQuery(item, ecosystems);
  const toolchain = item.kind === 'golang' && item.name === 'stdlib' && item.version !== '(devel)';
  return {
    ecosystems,
    name: item.name,
    version: toolchain ? goToolchainVersion(`go${item.version}`) : item.version,
  };
}

/** Bitnami names programs its own way, and Java 8 `8.0.392` where the program says `1.8.0_392`. */
function programQuery(item: ImagePackage, ecosystems: readonly string[]): Query | undefined {
  const name = programAdvisoryName(item.name);
  if (name === undefined) return undefined;
  return { ecosystems, name, version: item.version.replace(/^1\.(\d+)\.0_(\d+)$/, '$1.0.$2') };
}

/** Distributions name source packages or binary ones; all keys of one distribution do alike. */
function systemQuery(item: ImagePackage, ecosystems: readonly string[]): Query {
  const [first = ''] = ecosystems;
  const { name, version } = advisoryNaming(first) === 'binary' ? item : (item.source ?? item);
  const stream = item.detail?.['module'];
  return {
    ecosystems,
    name,
    version: advisoriesLackEpoch(first) ? version.replace(/^\d+:/, '') : version,
    ...(stream === undefined ? {} : { stream }),
  };
}

function ecosystemsOf(kind: PackageKind, distribution: DistributionRelease | null): readonly string[] {
  if (kind === 'dpkg' || kind === 'apk' || kind === 'rpm')
    return distribution === null ? [] : distributionEcosystem(distribution);
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
    const ecosystems = ecosystemsOf(kind, distribution);
    if (ecosystems.some((ecosystem) => present.has(ecosystem))) continue;
    const count = packages.filter((item) => item.kind === kind).length;
    const what = isSystemKind(kind)
      ? (distribution?.prettyName ?? 'an unknown distribution')
      : ecosystems.join() || `${kind} packages`;
    notices.push(`no advisories for ${what}: its ${count} ${kind} packages are listed, not matched`);
  }
  const nameless = packages.filter((item) => item.kind === 'maven' && !item.name.includes(':')).length;
  if (nameless > 0)
    notices.push(
      `${nameless} Java archives do not say which Maven group they are of: they are listed, not matched`,
    );
  return notices;
}
