// JSON documents from strangers (RFC 8259): bounded in size and nesting, strict UTF-8, typed access without exceptions.

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_NESTING = 64;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The object in the bytes, or in words why there is none. Never throws. The caller has limited the size. */
export function parseJsonObject(bytes: Uint8Array): JsonObject | string {
  if (nestsDeeperThan(bytes, MAX_NESTING)) return `JSON is nested more than ${MAX_NESTING} levels deep`;
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return 'it is not UTF-8 text';
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  return isJsonObject(value) ? value : 'it is not a JSON object';
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The string at a key, or undefined when it is missing or something else. */
export function stringAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}

/**
 * Keys that differ from a wanted one only in case. Go's decoder takes them for the wanted key, ours does not:
 * a document that has one means different things to different readers.
 */
export function ambiguousKey(object: JsonObject, wanted: readonly string[]): string | undefined {
  const folded = new Set(wanted.map((key) => key.toLowerCase()));
  return Object.keys(object).find((key) => !wanted.includes(key) && folded.has(key.toLowerCase()));
}

/** Counts brackets outside of strings; wrong JSON gives a wrong count but never a wrong refusal of right JSON. */
function nestsDeeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limit) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}
