// The JSON of the records in an advisory file: compact lists when written, checked field by field when read.
import type { AdvisoryText } from '../collector.ts';
import { isSeverity } from '../severity.ts';
import { isMaturity } from '../enrichment.ts';
import type { AdvisoryFacts, AdvisoryFileInfo, AffectedPackage, AffectedRange, KevEntry } from '../types.ts';
import { Damage } from './section-reader.ts';

/** A range as `[introduced, fixed?, lastAffected?, limits?]`; absent parts are 0. */
function packRange(range: AffectedRange): readonly unknown[] {
  const parts = [range.introduced, range.fixed ?? 0, range.lastAffected ?? 0, range.limits ?? 0];
  while (parts.at(-1) === 0) parts.pop();
  return parts;
}

/** A statement as `[advisory, ranges, versions?, urgency?, imports?]`; absent parts are 0. */
export function packStatement(affected: AffectedPackage): string {
  const parts = [
    affected.advisory,
    affected.ranges.map(packRange),
    affected.versions.length === 0 ? 0 : affected.versions,
    affected.urgency ?? 0,
    affected.imports ?? 0,
  ];
  while (parts.at(-1) === 0) parts.pop();
  return JSON.stringify(parts);
}

/** Reads the statements of one value: a JSON list of packed statements. */
export function unpackStatements(value: Buffer, ecosystem: string, name: string): readonly AffectedPackage[] {
  return list(parse(value)).map((packed) => {
    const [advisory, ranges, versions, urgency, imports] = list(packed);
    return {
      advisory: text(advisory),
      ecosystem,
      name,
      ranges: list(ranges).map(unpackRange),
      versions: present(versions) ? texts(versions) : [],
      ...(present(urgency) ? { urgency: text(urgency) } : {}),
      ...(present(imports) ? { imports: texts(imports) } : {}),
    };
  });
}

function unpackRange(packed: unknown): AffectedRange {
  const [introduced, fixed, lastAffected, limits] = list(packed);
  return {
    introduced: text(introduced),
    ...(present(fixed) ? { fixed: text(fixed) } : {}),
    ...(present(lastAffected) ? { lastAffected: text(lastAffected) } : {}),
    ...(present(limits) ? { limits: texts(limits) } : {}),
  };
}

/** What is written as the file's info: everything but its kind and digest, which are not its own to say. */
export type StoredInfo = Omit<AdvisoryFileInfo, 'kind' | 'digest'> & {
  readonly ecosystems: readonly string[];
};

/** Facts as a list in this order: names would make up half of the section. */
export function packFacts(facts: AdvisoryFacts): string {
  const { id, aliases, summary, published, modified, withdrawn, severity, severitySource } = facts;
  const { cvssVector, cvssScore, epss, exploited, source } = facts;
  const head = [id, aliases, summary, published, modified, withdrawn, severity, severitySource];
  const rest = [
    epss,
    exploited,
    source,
    facts.epssPercentile ?? 0,
    packKev(facts.kev),
    facts.exploitMaturity ?? 0,
  ];
  while (rest.at(-1) === 0) rest.pop();
  return JSON.stringify([...head, cvssVector, cvssScore, ...rest]);
}

/** `[day added or null, ransomware]`. */
function packKev(kev: KevEntry | undefined): readonly unknown[] | 0 {
  return kev === undefined ? 0 : [kev.added, kev.ransomware];
}

export function unpackFacts(value: Buffer): AdvisoryFacts {
  const [id, aliases, summary, published, modified, withdrawn, severity, severitySource, ...rest] = list(
    parse(value),
  );
  const [cvssVector, cvssScore, epss, exploited, source, percentile, kev, maturity] = rest;
  if (!isSeverity(severity)) throw new Damage('a record has no severity');
  return {
    id: text(id),
    aliases: texts(aliases),
    summary: text(summary),
    published: nullable(published, text),
    modified: nullable(modified, text),
    withdrawn: nullable(withdrawn, text),
    severity,
    severitySource: text(severitySource),
    cvssVector: nullable(cvssVector, text),
    cvssScore: nullable(cvssScore, number),
    epss: nullable(epss, number),
    exploited: exploited === true,
    source: text(source),
    ...(present(percentile) ? { epssPercentile: number(percentile) } : {}),
    ...(present(kev) ? { kev: unpackKev(kev) } : {}),
    ...(isMaturity(maturity) ? { exploitMaturity: maturity } : {}),
  };
}

function unpackKev(value: unknown): KevEntry {
  const [added, ransomware] = list(value);
  return { added: nullable(added, text), ransomware: ransomware === true };
}

export function unpackText(value: Buffer): AdvisoryText {
  const body = fields(parse(value));
  return { details: text(body['details']), references: texts(body['references']) };
}

/** Reads a list of ids. */
export function unpackIds(value: Buffer): readonly string[] {
  return texts(parse(value));
}

export function unpackInfo(value: Buffer): StoredInfo {
  const info = fields(parse(value));
  const builtAt = text(info['builtAt']);
  if (Number.isNaN(Date.parse(builtAt))) throw new Damage('it does not say when it was built');
  return {
    builtAt,
    advisories: number(info['advisories']),
    packages: number(info['packages']),
    sources: list(info['sources']).map((entry) => {
      const source = fields(entry);
      return {
        name: text(source['name']),
        records: number(source['records']),
        rejected: number(source['rejected']),
        newest: nullable(source['newest'], text),
      };
    }),
    ecosystems: texts(info['ecosystems']),
  };
}

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    throw new Damage('a record is not JSON');
  }
}

function present(value: unknown): boolean {
  return value !== undefined && value !== 0;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    throw new Damage('a record has no fields where some belong');
  return { ...value };
}

function nullable<T>(value: unknown, read: (present: unknown) => T): T | null {
  return value === null ? null : read(value);
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0))
    throw new Damage('a record has no number where one belongs');
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Damage('a record has no list where one belongs');
  return value;
}

function texts(value: unknown): readonly string[] {
  return list(value).map(text);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Damage('a record has no text where one belongs');
  return value;
}
