// Writes one section of an advisory file: sorted records into compressed blocks, and their index entries.
import { deflateRawSync } from 'node:zlib';
import { BLOCK_BYTES, BLOCK_ENTRY_BYTES, CUT_BYTES, sha256 } from './format.ts';

/** Appends bytes to the file. */
export type Append = (bytes: Buffer) => void;

interface BlockEntry {
  readonly offset: number;
  readonly compressed: number;
  readonly raw: number;
  readonly firstKey: Buffer;
  readonly hash: Buffer;
}

export class SectionWriter {
  readonly #append: Append;
  #offset: number;
  readonly #entries: BlockEntry[] = [];
  #parts: Buffer[] = [];
  #bytes = 0;
  #firstKey: Buffer | undefined;

  constructor(append: Append, offset: number) {
    this.#append = append;
    this.#offset = offset;
  }

  /** Keys must come in ascending byte order. */
  add(key: Buffer, value: Buffer): void {
    this.#firstKey ??= key;
    for (const part of [varint(key.length), key, varint(value.length), value]) {
      this.#parts.push(part);
      this.#bytes += part.length;
    }
    if (this.#bytes >= BLOCK_BYTES || (this.#bytes >= CUT_BYTES && isCut(key))) this.#flush();
  }

  /** Closes the section: its part of the index, and the offset after its last block. */
  finish(): { readonly index: Buffer; readonly offset: number } {
    this.#flush();
    const head = Buffer.alloc(4 + this.#entries.length * BLOCK_ENTRY_BYTES);
    head.writeUInt32LE(this.#entries.length, 0);
    let keyOffset = 0;
    this.#entries.forEach((entry, position) => {
      const at = 4 + position * BLOCK_ENTRY_BYTES;
      head.writeBigUInt64LE(BigInt(entry.offset), at);
      head.writeUInt32LE(entry.compressed, at + 8);
      head.writeUInt32LE(entry.raw, at + 12);
      head.writeUInt32LE(keyOffset, at + 16);
      head.writeUInt32LE(entry.firstKey.length, at + 20);
      entry.hash.copy(head, at + 24);
      keyOffset += entry.firstKey.length;
    });
    const keys = this.#entries.map((entry) => entry.firstKey);
    const keyBytes = Buffer.alloc(4);
    keyBytes.writeUInt32LE(keyOffset, 0);
    return { index: Buffer.concat([head, keyBytes, ...keys]), offset: this.#offset };
  }

  #flush(): void {
    if (this.#firstKey === undefined) return;
    const compressed = deflateRawSync(Buffer.concat(this.#parts), { level: 7 });
    this.#append(compressed);
    this.#entries.push({
      offset: this.#offset,
      compressed: compressed.length,
      raw: this.#bytes,
      firstKey: this.#firstKey,
      hash: sha256(compressed),
    });
    this.#offset += compressed.length;
    this.#parts = [];
    this.#bytes = 0;
    this.#firstKey = undefined;
  }
}

/**
 * May a block end after this key? The key alone decides, about one in 32, so that two files cut their blocks at the same
 * places again soon after a record that only one of them has: most of their blocks stay equal.
 */
function isCut(key: Buffer): boolean {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 16)) % 32 === 0;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
