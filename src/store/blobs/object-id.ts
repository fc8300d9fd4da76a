// Ids of stored objects: 128 random bits in lower-case hexadecimal, so an id is never a path.
import type { Randomness } from '../../core/index.ts';

const PATTERN = /^[0-9a-f]{32}$/;

/** A new random id. */
export function newObjectId(randomness: Randomness): string {
  return randomness.bytes(16).toString('hex');
}

/** True when `id` has the form of an id; anything else names no object in any driver. */
export function isObjectId(id: string): boolean {
  return PATTERN.test(id);
}
