// The JSON of the records in an advisory file: compact lists when written, checked field by field when read.
import { z } from 'zod';
import type { AdvisoryText } from '../collector.ts';
import { isSeverity } from '../severity.ts';
import type { AdvisoryFacts, AdvisoryFileInfo, AffectedPackage, AffectedRange } from '../types.ts';
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

const nullableText = z.string().nullable();
const factsSchema = z.object({
  id: z.string(),
  aliases: z.array(z.string()),
  summary: z.string(),
  published: nullableText,
  modified: nullableText,
  withdrawn: nullableText,
  severity: z.custom<AdvisoryFacts['severity']>(isSeverity),
  severitySource: z.string(),
  cvssVector: nullableText,
  cvssScore: z.number().min(0).max(10).nullable(),
  epss: z.number().min(0).max(1).nullable(),
  exploited: z.boolean(),
  source: z.string(),
});
const textSchema = z.object({ details: z.string(), references: z.array(z.string()) });
const infoSchema = z.object({
  builtAt: z.iso.datetime(),
  advisories: z.int().min(0),
  packages: z.int().min(0),
  sources: z
    .array(z.object({ name: z.string(), records: z.int(), rejected: z.int(), newest: nullableText }))
    .max(10_000),
  ecosystems: z.array(z.string()).max(10_000),
});

/** What is written as the file's info: everything but its kind and digest, which are not its own to say. */
export type StoredInfo = Omit<AdvisoryFileInfo, 'kind' | 'digest'> & {
  readonly ecosystems: readonly string[];
};

export function unpackFacts(value: Buffer): AdvisoryFacts {
  return checked(factsSchema, value);
}

export function unpackText(value: Buffer): AdvisoryText {
  return checked(textSchema, value);
}

export function unpackInfo(value: Buffer): StoredInfo {
  return checked(infoSchema, value);
}

function checked<T>(schema: z.ZodType<T>, value: Buffer): T {
  const result = schema.safeParse(parse(value));
  if (!result.success)
    throw new Damage(`a record has an unexpected shape (${result.error.issues[0]?.path.join('.')})`);
  return result.data;
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
