// Gathers records of all sources before a file is written: statements by package, bodies by id.
import { isDistribution, resolveSeverity } from './severity.ts';
import { type CveFacts, CveCatalogue, exploitMaturityOf } from './enrichment.ts';
import { cveIds, type OsvRecord, readOsvRecord, type SeverityStatement } from './osv.ts';
import { reconcile } from './reconcile.ts';
import type { AdvisoryFacts, AffectedPackage, AffectedRange } from './types.ts';

/** Details and references, kept apart from the facts since only `lookup` shows them. */
export interface AdvisoryText {
  readonly details: string;
  readonly references: readonly string[];
}

/** A record without its statements. The text waits as JSON bytes, which are cheaper than strings. */
export interface CollectedBody {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly published: string | null;
  readonly modified: string | null;
  readonly withdrawn: string | null;
  readonly severity: SeverityStatement;
  readonly distribution: boolean;
  readonly source: string;
  readonly text: Buffer;
}

/** What a record says of one package. The package is the key it is kept under: there are 700,000 statements to hold. */
export interface CollectedStatement {
  readonly body: CollectedBody;
  readonly ranges: readonly AffectedRange[];
  readonly versions: readonly string[];
  readonly urgency: string | undefined;
  readonly imports: readonly string[] | undefined;
}

/** What became of one value of a source. */
export type Outcome =
  | { readonly kind: 'advisory'; readonly date: string | null }
  | { readonly kind: 'enrichment' }
  | { readonly kind: 'rejected' };

export class AdvisoryCollector {
  readonly #cves = new CveCatalogue();
  readonly #bodies = new Map<string, CollectedBody>();
  readonly #statements = new Map<string, CollectedStatement[]>();
  readonly #ranges = new Map<string, readonly AffectedRange[]>();

  /** Takes one parsed JSON value of the named source. Never throws. */
  add(value: unknown, source: string): Outcome {
    if (this.#cves.add(value)) return { kind: 'enrichment' };
    const record = readOsvRecord(value);
    if (record === undefined) return { kind: 'rejected' };
    const body = bodyOf(record, source);
    const known = this.#bodies.get(body.id);
    if (known === undefined || ageOf(body) >= ageOf(known)) this.#bodies.set(body.id, body);
    for (const affected of record.affected) this.#state(affected, body);
    return { kind: 'advisory', date: record.modified ?? record.published };
  }

  /** Number of advisories so far. */
  get advisories(): number {
    return this.#bodies.size;
  }

  ids(): IterableIterator<string> {
    return this.#bodies.keys();
  }

  /** The ids of the records that name an alias, by alias. */
  aliases(): ReadonlyMap<string, readonly string[]> {
    const named = new Map<string, string[]>();
    for (const { id, aliases } of this.#bodies.values()) {
      for (const alias of aliases) {
        const ids = named.get(alias);
        if (ids === undefined) named.set(alias, [id]);
        else ids.push(id);
      }
    }
    for (const ids of named.values()) ids.sort();
    return named;
  }

  /** `ecosystem\0name` of every package that has statements. */
  keys(): IterableIterator<string> {
    return this.#statements.keys();
  }

  /**
   * Hands out, once, the statements about a package that may match: the newest wording of each record, none withdrawn,
   * contradictions settled.
   */
  takeStatements(key: string): readonly AffectedPackage[] {
    const all = this.#statements.get(key) ?? [];
    this.#statements.delete(key);
    const restated = new Set(all.map(({ body }) => body));
    const newest = all.filter(({ body }) => {
      const current = this.#bodies.get(body.id);
      if (current === undefined || current.withdrawn !== null) return false;
      return current === body || !restated.has(current);
    });
    const [ecosystem = '', name = ''] = key.split('\0');
    return reconcile(newest, ecosystem).map(({ body, ranges, versions, urgency, imports }) => ({
      advisory: body.id,
      ecosystem,
      name,
      ranges,
      versions,
      ...(urgency === undefined ? {} : { urgency }),
      ...(imports === undefined ? {} : { imports }),
    }));
  }

  facts(id: string): AdvisoryFacts | undefined {
    const body = this.#bodies.get(id);
    if (body === undefined) return undefined;
    const cves = cveIds(id, body.aliases).flatMap((cve): readonly CveFacts[] => {
      const facts = this.#cves.get(cve);
      return facts === undefined ? [] : [facts];
    });
    const { aliases, summary, published, modified, withdrawn, source } = body;
    return {
      id,
      aliases,
      summary,
      published,
      modified,
      withdrawn,
      ...resolveSeverity(body.severity, body.distribution, cves),
      ...exploitationOf(body, cves),
      source,
    };
  }

  /** JSON of an {@link AdvisoryText}. */
  text(id: string): Buffer | undefined {
    return this.#bodies.get(id)?.text;
  }

  #state(affected: AffectedPackage, body: CollectedBody): void {
    const key = `${affected.ecosystem}\0${affected.name}`;
    const { versions, urgency, imports } = affected;
    const statement = { body, ranges: this.#shared(affected.ranges), versions, urgency, imports };
    const list = this.#statements.get(key);
    if (list === undefined) this.#statements.set(key, [statement]);
    else list.push(statement);
  }

  /** Many records say the same of many releases; sharing the ranges keeps a full build well under 1 GiB. */
  #shared(ranges: readonly AffectedRange[]): readonly AffectedRange[] {
    if (ranges.length !== 1) return ranges;
    const text = JSON.stringify(ranges);
    const known = this.#ranges.get(text);
    if (known !== undefined) return known;
    this.#ranges.set(text, ranges);
    return ranges;
  }
}

function bodyOf(record: OsvRecord, source: string): CollectedBody {
  const text: AdvisoryText = { details: record.details, references: record.references };
  return {
    id: record.id,
    aliases: record.aliases,
    summary: record.summary,
    published: record.published,
    modified: record.modified,
    withdrawn: record.withdrawn,
    severity: record.severity,
    distribution: record.affected.some(({ ecosystem }) => isDistribution(ecosystem)),
    source,
    text: Buffer.from(JSON.stringify(text)),
  };
}

/** EPSS of the most endangered CVE, what KEV says, and how far exploits are. */
function exploitationOf(
  { severity }: CollectedBody,
  cves: readonly CveFacts[],
): Pick<AdvisoryFacts, 'epss' | 'epssPercentile' | 'exploited' | 'kev' | 'exploitMaturity'> {
  const [likeliest] = cves.toSorted((a, b) => (b.epss ?? -1) - (a.epss ?? -1));
  const exploited = cves.some((cve) => cve.exploited);
  const kev = cves.find((cve) => cve.kev !== null)?.kev ?? undefined;
  const maturity = exploitMaturityOf(exploited, [...severity.vectors, ...cves.flatMap((cve) => cve.vectors)]);
  const percentile = likeliest?.epssPercentile ?? undefined;
  return {
    epss: likeliest?.epss ?? null,
    ...(percentile === undefined ? {} : { epssPercentile: percentile }),
    exploited,
    ...(kev === undefined ? {} : { kev }),
    ...(maturity === undefined ? {} : { exploitMaturity: maturity }),
  };
}

/** ISO 8601 in UTC sorts as text; a withdrawal counts as a modification. */
function ageOf(body: CollectedBody): string {
  const modified = body.modified ?? '';
  const withdrawn = body.withdrawn ?? '';
  return modified > withdrawn ? modified : withdrawn;
}
