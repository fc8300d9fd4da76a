// Cursors of lists in the REST API: opaque to the client, checked when they come back.
import { registryErrors } from './errors.ts';

const MAX_CURSOR_CHARACTERS = 2_048;

/** Makes a cursor of the values that name a place in a list. */
export function writeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Reads a cursor of `count` values. @throws REGISTRY_CURSOR_INVALID */
export function readCursor(cursor: string, count: number): readonly string[] {
  if (cursor.length <= MAX_CURSOR_CHARACTERS) {
    try {
      const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
      if (
        Array.isArray(values) &&
        values.length === count &&
        values.every((value): value is string => typeof value === 'string')
      ) {
        return values;
      }
    } catch {
      // Not JSON: refused below.
    }
  }
  throw registryErrors.create('REGISTRY_CURSOR_INVALID');
}
