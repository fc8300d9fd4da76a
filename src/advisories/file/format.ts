// The advisory file, version 1: blocks of sorted records, then an index with the hash of every block, facts, a trailer.
import { createHash } from 'node:crypto';
import { KiB, MiB } from '../../core/index.ts';

// header   16 bytes  MAGIC
// blocks             each deflate-compressed; per record: varint key length, key, varint value length, value (JSON)
// index              per section: u32 block count, then BLOCK_ENTRY_BYTES per block, then all first keys
// info               JSON
// trailer  64 bytes  u64 index offset, u32 index length, u32 info length, sha256(those 16 bytes + index + info), MAGIC
//
// All integers are little-endian. Keys are UTF-8, sorted bytewise; a key may repeat in consecutive records. Opening
// checks the trailer's hash, reading a block checks the block's hash: so the trailer's hash vouches for every byte that
// an answer rests on, and no open has to read the whole file. That hash is the file's identity.

/** First and last bytes of a file; the digit is the format version. */
export const MAGIC = Buffer.from('breakwater-adv1\n', 'latin1');
export const TRAILER_BYTES = 64;
/** u64 offset, u32 compressed length, u32 raw length, u32 key offset, u32 key length, sha256 of the compressed bytes. */
export const BLOCK_ENTRY_BYTES = 56;

/** How many sections there are, in this order: statements by package, facts by id, texts by id, ids by alias. */
export const SECTION_COUNT = 4;

/** A block is closed when it reaches this size, in raw bytes. */
export const BLOCK_BYTES = 48 * KiB;
/** From this size on it is closed after the next key that both of two similar files cut at. */
export const CUT_BYTES = 24 * KiB;
/** Largest raw block that is read or written; one record never exceeds half of it. */
export const MAX_BLOCK_BYTES = 2 * MiB;
export const MAX_VALUE_BYTES = MiB;
export const MAX_KEY_BYTES = 4 * KiB;
export const MAX_INDEX_BYTES = 64 * MiB;
export const MAX_INFO_BYTES = MiB;

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The key of a package's statements. */
export function packageKey(ecosystem: string, name: string): string {
  return `${ecosystem}\0${name}`;
}
