// Sets of paths as hashes: which files a layer holds, in four bytes each.

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over the UTF-16 code units of a path, 32 bits. */
export function pathHash(path: string): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), FNV_PRIME);
  return hash >>> 0;
}

/** Base64 of the sorted hashes, little-endian. */
export function encodePathHashes(hashes: ReadonlySet<number>): string {
  const sorted = Uint32Array.from(hashes).sort();
  return Buffer.from(sorted.buffer).toString('base64');
}

/** The hashes again; damaged text gives the part that can be read. */
export function decodePathHashes(text: string): ReadonlySet<number> {
  const bytes = Buffer.from(text, 'base64');
  const hashes = new Set<number>();
  for (let at = 0; at + 4 <= bytes.length; at += 4) hashes.add(bytes.readUInt32LE(at));
  return hashes;
}
