// Gathers records of all sources before a file is written: statements by package, bodies by id.
import { isDistribution, resolveSeverity } from './severity.ts';
import { type CveFacts, CveCatalogue } from './enrichment.ts';
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

/** A statement with the record it came from. */
export interface CollectedStatement {
  readonly affected: AffectedPackage;
  readonly body: CollectedBody;
}

/** What became of one value of a source. */
export type Outcome =
  | { readonly kind: 'advisory'; readonly modified: string | null }
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
    return { kind: 'advisory', modified: record.modified };
  }

  /** Number of advisories so far. */
  get advisories(): number {
    return this.#bodies.size;
  }

  ids(): IterableIterator<string> {
    return this.#bodies.keys();
  }

  /** `ecosystem\0name` of every package that has statements. */
  keys(): IterableIterator<string> {
    return this.#statements.keys();
  }

  /** The statements about a package that may match: newest wording of each record, none withdrawn, contradictions settled. */
  statements(key: string): readonly AffectedPackage[] {
    const newest = (this.#statements.get(key) ?? []).filter(({ body }) => {
      const current = this.#bodies.get(body.id);
      return (
        current !== undefined &&
        current.withdrawn === null &&
        (current === body || !this.#restated(key, current))
      );
    });
    return reconcile(newest);
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
      epss: cves.reduce<number | null>(
        (most, cve) => ((cve.epss ?? -1) > (most ?? -1) ? cve.epss : most),
        null,
      ),
      exploited: cves.some((cve) => cve.exploited),
      source,
    };
  }

  /** JSON of an {@link AdvisoryText}. */
  text(id: string): Buffer | undefined {
    return this.#bodies.get(id)?.text;
  }

  #state(affected: AffectedPackage, body: CollectedBody): void {
    const key = `${affected.ecosystem}\0${affected.name}`;
    const list = this.#statements.get(key);
    const statement = { affected: { ...affected, ranges: this.#shared(affected.ranges) }, body };
    if (list === undefined) this.#statements.set(key, [statement]);
    else list.push(statement);
  }

  /** Does the newest record of an id speak about this package too? Then older records of the same id are silent. */
  #restated(key: string, current: CollectedBody): boolean {
    return (this.#statements.get(key) ?? []).some(({ body }) => body === current);
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

/** ISO 8601 in UTC sorts as text; a withdrawal counts as a modification. */
function ageOf(body: CollectedBody): string {
  const modified = body.modified ?? '';
  const withdrawn = body.withdrawn ?? '';
  return modified > withdrawn ? modified : withdrawn;
}
