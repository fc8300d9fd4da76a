// One 512-byte tar header: POSIX.1-1988 ustar, GNU, star and v7 (pax(1), GNU tar manual "Basic Tar Format").

export const BLOCK = 512;

/** A header as stored, before PAX and GNU long names are applied. Names are cut at their first NUL. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  /** The type flag as a byte; 0 is v7's regular file. */
  readonly typeFlag: number;
  readonly size: number;
  readonly mode: number;
  /** Old GNU sparse files: the size of the file, and whether blocks with more of its map follow. */
  readonly sparse: { readonly realSize: number; readonly extended: boolean } | null;
}

const SPACE = 0x20;
const SPARSE_FLAG = 0x53;

/** Are the 512 bytes at `start` all zero? */
export function isZeroBlock(block: Buffer, start: number): boolean {
  for (let i = start; i < start + BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** Reads the header at `start`; null when its checksum or its size is wrong. Never throws. */
export function parseTarHeader(block: Buffer, start: number): TarHeader | null {
  if (!checksumMatches(block, start)) return null;
  const size = parseNumber(block, start + 124, start + 136);
  if (size === null) return null;
  const typeFlag = block[start + 156] ?? 0;
  const sparse = typeFlag === SPARSE_FLAG ? parseSparse(block, start) : null;
  return {
    name: parseName(block, start),
    linkName: parseText(block, start + 157, start + 257),
    typeFlag,
    size,
    mode: (parseNumber(block, start + 100, start + 108) ?? 0) & 0o7777,
    sparse,
  };
}

function parseSparse(block: Buffer, start: number): TarHeader['sparse'] {
  return {
    realSize: parseNumber(block, start + 483, start + 495) ?? 0,
    extended: block[start + 482] !== 0,
  };
}

/** ustar and star keep the front of long names in a prefix field; GNU has other things there, v7 nothing. */
function parseName(block: Buffer, start: number): string {
  const name = parseText(block, start, start + 100);
  if (block[start + 345] === 0) return name;
  const magic = block.toString('latin1', start + 257, start + 265);
  if (magic !== 'ustar\x0000') return name;
  const isStar = block.toString('latin1', start + 508, start + 512) === 'tar\0';
  return `${parseText(block, start + 345, start + (isStar ? 476 : 500))}/${name}`;
}

/** Sums of all bytes with the checksum field taken as spaces; old writers summed signed bytes. */
function checksumMatches(block: Buffer, start: number): boolean {
  const stored = parseNumber(block, start + 148, start + 156);
  if (stored === null) return false;
  let unsigned = 8 * SPACE;
  let high = 0;
  for (let i = start; i < start + 148; i++) {
    const byte = block[i] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let i = start + 156; i < start + BLOCK; i++) {
    const byte = block[i] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  return stored === unsigned || stored === unsigned - 256 * high;
}

/** A number in octal digits or, with the high bit set, in base 256 (GNU). Null when negative, too large or no number. */
export function parseNumber(block: Buffer, start: number, end: number): number | null {
  const first = block[start] ?? 0;
  if (first >= 0x80) return parseBase256(block, start, end);
  let i = start;
  while (i < end && (block[i] === SPACE || block[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const byte = block[i] ?? 0;
    if (byte === 0) return value;
    if (byte === SPACE) break;
    if (byte < 0x30 || byte > 0x37) return null;
    value = value * 8 + (byte - 0x30);
  }
  for (; i < end; i++) {
    if (block[i] === 0) return value;
    if (block[i] !== SPACE) return null;
  }
  return value;
}

function parseBase256(block: Buffer, start: number, end: number): number | null {
  const first = block[start] ?? 0;
  if ((first & 0x40) !== 0) return null;
  let value = first & 0x3f;
  for (let i = start + 1; i < end; i++) {
    value = value * 256 + (block[i] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) return null;
  }
  return value;
}

function parseText(block: Buffer, start: number, end: number): string {
  let stop = start;
  while (stop < end && block[stop] !== 0) stop++;
  return block.toString('utf8', start, stop);
}
