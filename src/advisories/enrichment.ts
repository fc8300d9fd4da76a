// Facts about CVEs from beside the advisories: CISA KEV entries, EPSS scores, and one-line CVSS facts per CVE.
import type { ExploitMaturity, KevEntry } from './types.ts';

/** What is known of one CVE apart from advisories. */
export interface CveFacts {
  readonly vectors: readonly string[];
  readonly epss: number | null;
  /** 0–1. */
  readonly epssPercentile: number | null;
  readonly exploited: boolean;
  readonly kev: KevEntry | null;
}

const NO_FACTS: CveFacts = { vectors: [], epss: null, epssPercentile: null, exploited: false, kev: null };

/** Collects enrichment lines in any order; several lines about one CVE add up. */
export class CveCatalogue {
  readonly #facts = new Map<string, CveFacts>();

  /**
   * Takes a KEV entry (`cveID`) or a CVE line (`cve` with `cvss3`, `cvss4`, `epss`, `percentile`, `kev`). False when it
   * is neither.
   */
  add(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const line: Readonly<Record<string, unknown>> = { ...value };
    if (typeof line['cveID'] === 'string') {
      return this.#merge(line['cveID'], { ...NO_FACTS, exploited: true, kev: kevEntry(line) });
    }
    if (typeof line['cve'] !== 'string' || 'id' in line) return false;
    return this.#merge(line['cve'], {
      ...NO_FACTS,
      vectors: ['cvss4', 'cvss3', 'cvss2'].flatMap((key) => {
        const vector = line[key];
        return typeof vector === 'string' && vector.length <= 512 ? [vector] : [];
      }),
      epss: probability(line['epss']),
      epssPercentile: probability(line['percentile']),
      exploited: line['kev'] === true,
    });
  }

  get(cve: string): CveFacts | undefined {
    return this.#facts.get(cve);
  }

  #merge(cve: string, facts: CveFacts): boolean {
    if (!/^CVE-\d{4}-\d{4,19}$/.test(cve)) return false;
    const known = this.#facts.get(cve) ?? NO_FACTS;
    this.#facts.set(cve, {
      vectors:
        known.vectors.length === 0 ? facts.vectors : [...new Set([...known.vectors, ...facts.vectors])],
      epss: facts.epss ?? known.epss,
      epssPercentile: facts.epssPercentile ?? known.epssPercentile,
      exploited: known.exploited || facts.exploited,
      kev: facts.kev ?? known.kev,
    });
    return true;
  }
}

/** The furthest maturity that the catalogue or the vectors of a flaw tell of; undefined where none does. */
export function exploitMaturityOf(
  exploited: boolean,
  vectors: readonly string[],
): ExploitMaturity | undefined {
  if (exploited) return 'attacked';
  const found = new Set(vectors.map(maturityInVector));
  return MATURITIES.find((maturity) => found.has(maturity));
}

/** Reads a maturity word of our own vocabulary. */
export function isMaturity(value: unknown): value is ExploitMaturity {
  return MATURITIES.some((maturity) => maturity === value);
}

/** Furthest first. */
const MATURITIES: readonly ExploitMaturity[] = ['attacked', 'functional', 'proof-of-concept', 'unreported'];
/** CVSS 4.0: attacked, proof of concept, unreported. CVSS 2 and 3: high, functional, proof of concept, unproven. */
const V4_MATURITY: Readonly<Record<string, ExploitMaturity>> = {
  A: 'attacked',
  P: 'proof-of-concept',
  U: 'unreported',
};
const V3_MATURITY: Readonly<Record<string, ExploitMaturity>> = {
  H: 'functional',
  F: 'functional',
  P: 'proof-of-concept',
  POC: 'proof-of-concept',
  U: 'unreported',
};

function maturityInVector(vector: string): ExploitMaturity | undefined {
  const value = /\/E:([A-Z]{1,3})(?:\/|$|\))/.exec(vector)?.[1] ?? '';
  return (vector.startsWith('CVSS:4') ? V4_MATURITY : V3_MATURITY)[value];
}

function kevEntry(line: Readonly<Record<string, unknown>>): KevEntry {
  const added = line['dateAdded'];
  return {
    added: typeof added === 'string' && /^\d{4}-\d{2}-\d{2}/.test(added) ? added.slice(0, 10) : null,
    ransomware: line['knownRansomwareCampaignUse'] === 'Known',
  };
}

function probability(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : null;
}
