// Cursors of keyset paging: the sort key of the last row, opaque to clients.
import { scanErrors } from './errors.ts';

export function encodeCursor(key: readonly number[]): string {
  return Buffer.from(key.join('.')).toString('base64url');
}

/** The numbers in a cursor; throws SCAN_CURSOR_INVALID when it is not one of ours. */
export function decodeCursor(cursor: string, length: number): readonly number[] {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const numbers = /^\d{1,15}(?:\.\d{1,15})*$/.test(text) ? text.split('.').map(Number) : [];
  if (numbers.length !== length) throw scanErrors.create('SCAN_CURSOR_INVALID');
  return numbers;
}
