// Which compression a blob has, by its first bytes (gzip RFC 1952, zstd RFC 8878); media types are not trusted.

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'lz4';

/** Bytes needed to tell. */
export const MAGIC_BYTES = 6;

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/** The compression of a blob that starts with these bytes. */
export function sniffCompression(first: Uint8Array): Compression {
  for (const [compression, magic] of MAGICS) {
    if (magic.every((byte, index) => first[index] === byte)) return compression;
  }
  // A zstd stream may start with a skippable frame: 0x184D2A5? in little endian.
  const isSkippable =
    first[1] === 0x2a && first[2] === 0x4d && first[3] === 0x18 && ((first[0] ?? 0) & 0xf0) === 0x50;
  return isSkippable ? 'zstd' : 'none';
}
