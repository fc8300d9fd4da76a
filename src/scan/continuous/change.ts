// What new advisory data means for an image: which findings open, change and close.
import type { AdvisoryFile } from '../../advisories/index.ts';
import { matchPackages } from '../match.ts';
import { PROBLEM_CODES } from '../problem-codes.ts';
import type { StoredFinding } from '../store-queries.ts';
import { distinctFindings, findingKey } from '../store-results.ts';
import type { DistributionRelease, Finding, ImagePackage, ScanProblem } from '../types.ts';
import type { ImageState } from './image-state.ts';

export type ClosedReason = 'withdrawn' | 'not-affected';

/** The difference that matching again makes to one image. */
export interface ImageChange {
  readonly digest: string;
  readonly generation: number;
  readonly opened: readonly Finding[];
  /** Still open, but with another severity, fix, text, …; `before` is what is stored. */
  readonly updated: readonly { readonly before: StoredFinding; readonly finding: Finding }[];
  readonly closed: readonly { readonly finding: StoredFinding; readonly reason: ClosedReason }[];
  /** Of the packages that were matched: versions that could not be compared. */
  readonly undecided: readonly ScanProblem[];
  readonly matched: readonly ImagePackage[];
}

/** Matches remembered; more than that start anew. */
const MAX_REMEMBERED = 20_000;

/** Matches packages against one advisory file, each package at each place of a distribution once. */
export class PackageMatcher {
  readonly #advisories: AdvisoryFile;
  readonly #known = new Map<string, { findings: readonly Finding[]; problems: readonly ScanProblem[] }>();

  constructor(advisories: AdvisoryFile) {
    this.#advisories = advisories;
  }

  change(state: ImageState): ImageChange {
    const { digest, generation, packages } = state;
    const found: Finding[] = [];
    const undecided: ScanProblem[] = [];
    for (const item of packages) {
      const { layer } = item;
      const layerDigest = state.layerDigests.get(layer) || null;
      const { findings, problems } = this.#match(item, state.distribution);
      found.push(...findings.map((finding) => ({ ...finding, layer, layerDigest })));
      undecided.push(...problems.map((problem) => ({ ...problem, layer })));
    }
    const now = new Map(distinctFindings(found).map((finding) => [findingKey(finding), finding]));
    const before = new Map(state.findings.map((finding) => [findingKey(finding), finding]));
    return {
      digest,
      generation,
      opened: [...now].flatMap(([key, finding]) => (before.has(key) ? [] : [finding])),
      updated: [...now].flatMap(([key, finding]) => {
        const old = before.get(key);
        return old === undefined || saysOf(old) === saysOf(finding) ? [] : [{ before: old, finding }];
      }),
      closed: [...before].flatMap(([key, finding]) =>
        now.has(key) ? [] : [{ finding, reason: this.#reason(finding) }],
      ),
      undecided: undecided.filter((problem) => problem.code === PROBLEM_CODES.versionUnknown),
      matched: packages,
    };
  }

  /** What the reader of an image's result must know about the data. */
  notices({ packages, distribution }: ImageState): readonly string[] {
    return matchPackages(packages, distribution, this.#advisories).notices;
  }

  #match(
    item: ImagePackage,
    distribution: DistributionRelease | null,
  ): { findings: readonly Finding[]; problems: readonly ScanProblem[] } {
    const { kind, path, ownedBy, purl, source, detail } = item;
    const key = JSON.stringify([kind, path, ownedBy, purl, source, detail, item.version, distribution]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { findings, problems } = matchPackages([item], distribution, this.#advisories);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, { findings, problems });
    return { findings, problems };
  }

  #reason({ advisory }: Finding): ClosedReason {
    const facts = this.#advisories.facts(advisory);
    return facts === undefined || facts.withdrawn !== null ? 'withdrawn' : 'not-affected';
  }
}

/** Is there anything to write? */
export function isWorthWriting(
  { opened, updated, closed, undecided }: ImageChange,
  state: ImageState,
): boolean {
  return opened.length + updated.length + closed.length + undecided.length > 0 || state.undecided;
}

/** Everything of a finding that advisory data can change without making it another finding. */
function saysOf(finding: Finding): string {
  const { advisory, aliases, fixed, fixState, severity, severitySource, cvssScore, cvssVector } = finding;
  const { epss, exploited, title, range } = finding;
  const rating = [severity, severitySource, cvssScore, cvssVector, epss, exploited];
  return JSON.stringify([advisory, aliases, fixed, fixState, ...rating, title.replaceAll('\0', ''), range]);
}
