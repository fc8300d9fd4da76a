// Reads one section of an advisory file: binary search over first keys, one checked and cached block at a time.
import { inflateRawSync } from 'node:zlib';
import { MiB } from '../../core/index.ts';
import { BLOCK_ENTRY_BYTES, MAX_BLOCK_BYTES, sha256 } from './format.ts';

/** What is wrong with the bytes of a file; turned into a coded error, with the path, by the file. */
export class Damage extends Error {}

/** Reads exactly `length` bytes at `offset`, or throws. */
export type ReadAt = (offset: number, length: number) => Buffer;

const CACHE_BYTES = 8 * MiB;

/** The largest package of real data takes about 30 blocks; a forged index must not make one look-up read for ever. */
const MAX_BLOCKS_OF_KEY = 1_000;

interface Block {
  readonly offset: number;
  readonly compressed: number;
  readonly raw: number;
  readonly firstKey: Buffer;
  readonly hash: Buffer;
}

export interface SectionRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

export class SectionReader {
  readonly #entries: Buffer;
  readonly #keys: Buffer;
  readonly #count: number;
  readonly #readAt: ReadAt;
  /** Inflated blocks, least recently used first. */
  readonly #cache = new Map<number, Buffer>();
  #cachedBytes = 0;
  /** Bytes of the index that this section takes. */
  readonly indexBytes: number;

  /** `index` starts at this section's part. */
  constructor(index: Buffer, readAt: ReadAt) {
    this.#readAt = readAt;
    this.#count = unsigned(index, 0);
    const entriesEnd = 4 + this.#count * BLOCK_ENTRY_BYTES;
    const keyBytes = unsigned(index, entriesEnd);
    this.indexBytes = entriesEnd + 4 + keyBytes;
    if (this.indexBytes > index.length) throw new Damage('the index is cut short');
    this.#entries = index.subarray(4, entriesEnd);
    this.#keys = index.subarray(entriesEnd + 4, this.indexBytes);
  }

  /** Every value stored under a key. */
  values(key: Buffer): readonly Buffer[] {
    const values: Buffer[] = [];
    let visited = 0;
    // A key may run over several blocks, and may start at the end of the block before the first that opens with it.
    for (let position = Math.max(0, this.#firstBlockFrom(key) - 1); position < this.#count; position++) {
      const block = this.#block(position);
      if (Buffer.compare(block.firstKey, key) > 0) break;
      if (++visited > MAX_BLOCKS_OF_KEY) throw new Damage('one key runs over too many blocks');
      collect(this.#inflated(position, block), key, values);
    }
    return values;
  }

  get blockCount(): number {
    return this.#count;
  }

  /** Hash of a block's compressed bytes, in hexadecimal digits; the same bytes give the same records. */
  blockHash(position: number): string {
    return this.#block(position).hash.toString('hex');
  }

  /** Every record of one block. Not kept in memory: whoever reads all blocks must not push out those of look-ups. */
  records(position: number): readonly SectionRecord[] {
    return recordsOf(this.#read(this.#block(position)));
  }

  /** Reads every block against its hash. @throws Damage */
  verify(): void {
    for (let position = 0; position < this.#count; position++) this.#read(this.#block(position));
  }

  /** Position of the first block whose first key is not below `key`. */
  #firstBlockFrom(key: Buffer): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(this.#block(middle).firstKey, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #block(position: number): Block {
    const at = position * BLOCK_ENTRY_BYTES;
    const keyStart = this.#entries.readUInt32LE(at + 16);
    const keyEnd = keyStart + this.#entries.readUInt32LE(at + 20);
    if (keyEnd > this.#keys.length) throw new Damage('a block has its first key outside the index');
    return {
      offset: Number(this.#entries.readBigUInt64LE(at)),
      compressed: this.#entries.readUInt32LE(at + 8),
      raw: this.#entries.readUInt32LE(at + 12),
      firstKey: this.#keys.subarray(keyStart, keyEnd),
      hash: this.#entries.subarray(at + 24, at + BLOCK_ENTRY_BYTES),
    };
  }

  #inflated(position: number, block: Block): Buffer {
    const cached = this.#cache.get(position);
    if (cached !== undefined) {
      this.#cache.delete(position);
      this.#cache.set(position, cached);
      return cached;
    }
    const raw = this.#read(block);
    this.#remember(position, raw);
    return raw;
  }

  #read(block: Block): Buffer {
    if (block.raw > MAX_BLOCK_BYTES || block.compressed > MAX_BLOCK_BYTES)
      throw new Damage('a block is too large');
    const compressed = this.#readAt(block.offset, block.compressed);
    if (!sha256(compressed).equals(block.hash)) throw new Damage('a block does not match its hash');
    return inflate(compressed, block.raw);
  }

  #remember(position: number, raw: Buffer): void {
    this.#cache.set(position, raw);
    this.#cachedBytes += raw.length;
    for (const [oldest, bytes] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES || oldest === position) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= bytes.length;
    }
  }
}

function inflate(compressed: Buffer, size: number): Buffer {
  let raw: Buffer;
  try {
    raw = inflateRawSync(compressed, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw new Damage('a block does not inflate');
  }
  if (raw.length !== size) throw new Damage('a block has another size than the index says');
  return raw;
}

/** Appends the values of `key` in a block. Records are sorted, so the first larger key ends the search. */
function collect(block: Buffer, key: Buffer, values: Buffer[]): void {
  walk(block, (keyStart, valueStart, end, keyEnd) => {
    const order = compareKey(block, keyStart, keyEnd, key);
    if (order === 0) values.push(block.subarray(valueStart, end));
    return order <= 0;
  });
}

function recordsOf(block: Buffer): readonly SectionRecord[] {
  const records: SectionRecord[] = [];
  walk(block, (keyStart, valueStart, end, keyEnd) => {
    records.push({ key: block.subarray(keyStart, keyEnd), value: block.subarray(valueStart, end) });
    return true;
  });
  return records;
}

/** Visits the records of a block by their offsets, until the visitor says no. */
function walk(
  block: Buffer,
  visit: (keyStart: number, valueStart: number, end: number, keyEnd: number) => boolean,
): void {
  let at = 0;
  const length = (): number => {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = block[at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Damage('a record has no readable length');
  };
  while (at < block.length) {
    const keyLength = length();
    const keyStart = at;
    at += keyLength;
    const valueLength = length();
    const valueStart = at;
    at += valueLength;
    if (at > block.length) throw new Damage('a record runs over the end of its block');
    if (!visit(keyStart, valueStart, at, keyStart + keyLength)) return;
  }
}

/** Byte order of a stored key against `key`. A plain loop: `Buffer.compare` costs more in checks than in comparing. */
function compareKey(block: Buffer, start: number, end: number, key: Buffer): number {
  const length = Math.min(end - start, key.length);
  for (let index = 0; index < length; index++) {
    const difference = (block[start + index] ?? 0) - (key[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return end - start - key.length;
}

function unsigned(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length) throw new Damage('the index is cut short');
  return bytes.readUInt32LE(at);
}
