// Foreign JSON: an object or a problem, and its members as what they turn out to be.
import type { CatalogSink } from '../cataloger.ts';
import { textOf } from './lock-file.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that a file holds. What is not one is said to the sink. */
export function readJsonObject(bytes: Buffer, sink: CatalogSink): JsonObject | undefined {
  const content = readJson(bytes, sink);
  if (isJsonObject(content)) return content;
  if (content !== undefined) sink.problem('not a JSON object');
  return undefined;
}

/** The value that a file holds; undefined, after a word to the sink, when it is not JSON. */
export function readJson(bytes: Buffer, sink: CatalogSink): unknown {
  try {
    const content: unknown = JSON.parse(textOf(bytes));
    return content;
  } catch {
    sink.problem('not JSON');
    return undefined;
  }
}

/** The members of an object by name; none when the value is not an object. */
export function membersOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

/** The objects of an array; none when the value is not an array. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The texts of an array, shortened; a single text stands for itself. */
export function licensesOf(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value.slice(0, 32) : [value];
  return texts.flatMap((text) => (typeof text === 'string' && text !== '' ? [text.slice(0, 256)] : []));
}
