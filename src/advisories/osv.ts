// OSV records (ossf.github.io/osv-schema) to our shape: tolerant of what publishers really ship, never throwing.
import { normalizePackageName } from './package-name.ts';
import { type OsvEvent, rangesFromEvents } from './ranges.ts';
import type { AffectedPackage, AffectedRange } from './types.ts';
import { versionScheme } from './versions/index.ts';

/** What a publisher says about severity, before it is weighed (`severity.ts`). */
export interface SeverityStatement {
  /** CVSS vectors of any version, as published. */
  readonly vectors: readonly string[];
  /** The publisher's word: `MODERATE`, `important`, `negligible`, … */
  readonly word: string | null;
  /** A bare base score where there is no vector. */
  readonly score: number | null;
}

/** One record, ready to be collected. */
export interface OsvRecord {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly details: string;
  readonly published: string | null;
  readonly modified: string | null;
  readonly withdrawn: string | null;
  readonly references: readonly string[];
  readonly severity: SeverityStatement;
  readonly affected: readonly AffectedPackage[];
}

const LIMITS = {
  affected: 50_000,
  events: 10_000,
  versions: 20_000,
  aliases: 1_000,
  references: 50,
  imports: 200,
};
const MAX_ID = 256;
const MAX_VERSION = 256;
const MAX_ECOSYSTEM = 128;
const MAX_URL = 2_048;
const MAX_SUMMARY = 300;
const MAX_DETAILS = 16_384;

type Fields = Readonly<Record<string, unknown>>;

/** Shared, because most statements list no versions. */
const NONE: readonly never[] = [];

/** Reads one OSV record; undefined when the value is none (no id). Parts that make no sense are left out. */
export function readOsvRecord(value: unknown): OsvRecord | undefined {
  if (!isFields(value)) return undefined;
  const id = readId(value['id']);
  if (id === undefined) return undefined;
  const specific = fieldsOf(value['database_specific']);
  const affectedEntries = listOf(value['affected'], LIMITS.affected).filter(isFields);
  const details = textOf(value['details'], MAX_DETAILS);
  const summary = oneLine(textOf(value['summary'], MAX_SUMMARY * 4));
  return {
    id,
    aliases: readAliases(value, id),
    summary: summary === '' ? firstSentence(details) : summary.slice(0, MAX_SUMMARY),
    details,
    published: dateOf(value['published']),
    modified: dateOf(value['modified']),
    withdrawn:
      dateOf(value['withdrawn']) ?? withdrawnInWords(id, summary, details, dateOf(value['modified'])),
    references: readReferences(value['references']),
    severity: readSeverity(value, specific, affectedEntries, summary),
    affected: affectedEntries.flatMap((entry) => readAffected(id, entry)),
  };
}

/** The CVE ids among an advisory's own id and its aliases. */
export function cveIds(id: string, aliases: readonly string[]): readonly string[] {
  return [id, ...aliases].filter((candidate) => /^CVE-\d{4}-\d{4,}$/.test(candidate));
}

function readAffected(advisory: string, entry: Fields): readonly AffectedPackage[] {
  const identity = fieldsOf(entry['package']);
  const ecosystem = cleanText(identity['ecosystem'], MAX_ECOSYSTEM);
  const published = cleanText(identity['name'], 4_096);
  if (ecosystem === undefined || published === undefined) return [];
  const name = normalizePackageName(ecosystem, published);
  const specific = fieldsOf(entry['ecosystem_specific']);
  const ranges = readRanges(entry['ranges'], specific['custom_ranges'], ecosystem);
  const versions = readVersions(entry['versions']);
  if (ranges.length === 0 && versions.length === 0) return [];
  const urgency = cleanText(specific['urgency'], 64) ?? cleanText(specific['status'], 64);
  const imports = readImports(specific['imports']);
  return [
    {
      advisory,
      ecosystem,
      name,
      ranges,
      versions,
      ...(urgency === undefined ? {} : { urgency }),
      ...(imports.length === 0 ? {} : { imports }),
    },
  ];
}

function readVersions(value: unknown): readonly string[] {
  const list = listOf(value, LIMITS.versions);
  if (list.length === 0) return NONE;
  return list.flatMap((version) => {
    const text = cleanText(version, MAX_VERSION);
    return text === undefined ? [] : [text];
  });
}

/**
 * Go records whose fixed version is no module version say "all versions" in the range and give the real bounds in
 * `custom_ranges` (go.dev/doc/security/vuln/database): the latter are the narrower truth.
 */
function readRanges(value: unknown, custom: unknown, ecosystem: string): readonly AffectedRange[] {
  const ranges = readRangeList(value, ecosystem);
  const [only] = ranges;
  const open = ranges.length === 1 && only?.introduced === '0' && Object.keys(only).length === 1;
  if (!open) return ranges;
  const narrower = readRangeList(custom, ecosystem);
  return narrower.length === 0 ? ranges : narrower;
}

function readRangeList(value: unknown, ecosystem: string): readonly AffectedRange[] {
  const scheme = versionScheme(ecosystem);
  return listOf(value, LIMITS.events).flatMap((range) => {
    if (!isFields(range) || range['type'] === 'GIT') return [];
    return rangesFromEvents(listOf(range['events'], LIMITS.events).flatMap(readEvent), scheme);
  });
}

function readEvent(value: unknown): readonly OsvEvent[] {
  if (!isFields(value)) return [];
  for (const kind of ['introduced', 'fixed', 'last_affected', 'limit'] as const) {
    const version = cleanText(value[kind], MAX_VERSION);
    if (version !== undefined) return [{ kind, version }];
  }
  return [];
}

function readImports(value: unknown): readonly string[] {
  return listOf(value, LIMITS.imports).flatMap((entry) => {
    const path = isFields(entry) ? cleanText(entry['path'], MAX_URL) : undefined;
    return path === undefined ? [] : [path];
  });
}

/** Aliases and upstream ids are the same flaw; `related` ids are not, save for AlmaLinux errata, which list their CVEs there. */
function readAliases(record: Fields, id: string): readonly string[] {
  const lists = [
    record['aliases'],
    record['upstream'],
    /^AL[A-Z]{2}-/.test(id) ? record['related'] : undefined,
  ];
  const found = new Set<string>();
  for (const list of lists) {
    for (const value of listOf(list, LIMITS.aliases)) {
      const alias = readId(value);
      if (alias !== undefined && alias !== id) found.add(alias);
    }
  }
  return [...found].sort();
}

/** Some publishers write `ghsa-…` and `cve-…` in lower case; one spelling is needed to merge. */
function readId(value: unknown): string | undefined {
  const id = cleanText(value, MAX_ID);
  if (id === undefined) return undefined;
  if (/^cve-/i.test(id)) return id.toUpperCase();
  return /^ghsa-/i.test(id) ? `GHSA-${id.slice(5).toLowerCase()}` : id;
}

function readReferences(value: unknown): readonly string[] {
  return listOf(value, LIMITS.references).flatMap((entry) => {
    const url = isFields(entry) ? cleanText(entry['url'], MAX_URL) : undefined;
    return url !== undefined && /^https?:\/\//i.test(url) ? [url] : [];
  });
}

/** AlmaLinux and Rocky Linux rate an erratum in its title, in Red Hat's words: `Important: bash security update`. */
const RATED_TITLE = /^(Critical|Important|Moderate|Low): /;

function readSeverity(
  record: Fields,
  specific: Fields,
  affected: readonly Fields[],
  summary: string,
): SeverityStatement {
  const [first] = affected;
  const inner = fieldsOf(first?.['database_specific']);
  const entries = [...listOf(record['severity'], 16), ...listOf(first?.['severity'], 16)];
  const vectors = entries.flatMap((entry) => {
    const vector = isFields(entry) ? cleanText(entry['score'], 512) : undefined;
    return vector === undefined ? [] : [vector];
  });
  const own = cleanText(inner['cvss'], 512);
  if (own !== undefined) vectors.push(own);
  const word =
    cleanText(specific['ubuntu_priority'], 32) ??
    cleanText(specific['severity'], 32) ??
    cleanText(inner['severity'], 32) ??
    (cleanText(inner['informational'], 32) === undefined ? undefined : 'informational') ??
    RATED_TITLE.exec(summary)?.[1];
  const scores = [specific['cvss_v3'], specific['cvss_score'], specific['cvss_v2']];
  const score = scores.find(
    (candidate) => typeof candidate === 'number' && candidate >= 0 && candidate <= 10,
  );
  return { vectors, word: word ?? null, score: typeof score === 'number' ? score : null };
}

/**
 * Mirrors of the GitHub database drop its `withdrawn` field; the texts still begin by saying so. Duplicates are
 * withdrawn in favour of the record that they repeat.
 */
function withdrawnInWords(
  id: string,
  summary: string,
  details: string,
  modified: string | null,
): string | null {
  if (!id.startsWith('GHSA-')) return null;
  const opening = details.slice(0, 600);
  const said =
    /^withdrawn\b/i.test(summary) ||
    /^[#*\s]{0,20}(?:withdrawn|duplicate advisory)\b/i.test(opening) ||
    /advisory has been withdrawn/i.test(opening);
  return said ? (modified ?? new Date(0).toISOString()) : null;
}

function firstSentence(details: string): string {
  const line = oneLine(details.replace(/^[#\s]+/, '').slice(0, MAX_SUMMARY * 2));
  const end = line.search(/[.!?](?:\s|$)/);
  const sentence = end < 0 ? line : line.slice(0, end + 1);
  return sentence.length > 200 ? `${sentence.slice(0, 199)}…` : sentence;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function listOf(value: unknown, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) return NONE;
  return value.length > limit ? value.slice(0, limit) : value;
}

function textOf(value: unknown, limit: number): string {
  if (typeof value !== 'string') return '';
  return value.length > limit ? `${value.slice(0, limit - 1)}…` : value;
}

/** A trimmed text without control characters, or undefined when empty, too long or no text. */
function cleanText(value: unknown, limit: number): string | undefined {
  if (typeof value !== 'string' || value.length > limit) return undefined;
  const text = value.trim();
  return text === '' || /[\u0000-\u001f\u007f]/.test(text) ? undefined : text;
}

/** ISO 8601 as published; the Go database's year 1 means "not known". */
function dateOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 40 || value.startsWith('0001-')) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
