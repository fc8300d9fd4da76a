// Keeps V8's young collections coming while bytes stream by, so that buffers are freed before they cost a full collection.
import { KiB } from './limits.ts';

/**
 * Node hands bytes over in new buffers outside the JavaScript heap. V8 sees only a few hundred bytes of garbage for each,
 * collects nothing, and after 64 MiB of outside memory marks its whole heap: on uploads that took more CPU time than hashing
 * (measured on Node 24: 36 full collections per GiB, 2 with this; 350 against 580 MB uploaded per CPU-second), on reading
 * layers an eighth of the whole scan. Real garbage of a quarter of each piece makes the cheap young collections come often enough.
 */
const SHARE = 4;
const ELEMENT_BYTES = 8;
const LARGEST_PIECE = 512 * KiB;

const original: readonly number[] = Array.from({ length: LARGEST_PIECE / SHARE / ELEMENT_BYTES }, () => 0);

/** Held by a module, so that the allocation cannot be optimised away. */
const nursery = { latest: original };

/** Call once for each piece of a stream, with its size in bytes. */
export function exerciseNursery(pieceBytes: number): void {
  nursery.latest = original.slice(0, Math.ceil(pieceBytes / SHARE / ELEMENT_BYTES));
}
