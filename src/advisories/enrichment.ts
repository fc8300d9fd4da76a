// Facts about CVEs from beside the advisories: CISA KEV entries, and one-line CVSS/EPSS facts per CVE.

/** What is known of one CVE apart from advisories. */
export interface CveFacts {
  readonly vectors: readonly string[];
  readonly epss: number | null;
  readonly exploited: boolean;
}

const NO_FACTS: CveFacts = { vectors: [], epss: null, exploited: false };

/** Collects enrichment lines in any order; several lines about one CVE add up. */
export class CveCatalogue {
  readonly #facts = new Map<string, CveFacts>();

  /** Takes a KEV entry (`cveID`) or a CVE line (`cve`, `cvss3`, `cvss4`, `epss`, `kev`). False when it is neither. */
  add(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if ('cveID' in value && typeof value.cveID === 'string') {
      return this.#merge(value.cveID, { ...NO_FACTS, exploited: true });
    }
    if (!('cve' in value) || typeof value.cve !== 'string' || 'id' in value) return false;
    const line: Readonly<Record<string, unknown>> = { ...value };
    const epss = line['epss'];
    return this.#merge(value.cve, {
      vectors: ['cvss4', 'cvss3', 'cvss2'].flatMap((key) => {
        const vector = line[key];
        return typeof vector === 'string' && vector.length <= 512 ? [vector] : [];
      }),
      epss: typeof epss === 'number' && epss >= 0 && epss <= 1 ? epss : null,
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
      exploited: known.exploited || facts.exploited,
    });
    return true;
  }
}
