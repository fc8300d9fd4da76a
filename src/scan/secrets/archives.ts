// Files in small archives: ZIP (APPNOTE.TXT), tar (POSIX ustar), gzip. Bounded in bytes, files and ratio; never throws.
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { MiB } from '../../core/index.ts';

export interface ArchivedFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Stored size above which an archive is not opened, in bytes. */
export const MAX_ARCHIVE_BYTES = 8 * MiB;
const MAX_INFLATED_BYTES = 32 * MiB;
const MAX_FILE_BYTES = 2 * MiB;
const MAX_FILES = 5_000;

const TOO_LARGE = `files above ${MAX_FILE_BYTES / MiB} MiB in the archive`;

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/** Hears what of an archive was not searched, and why. */
export type LeftOut = (reason: string) => void;

/** The files of an archive as far as they are wanted and can be read; the rest is told to `leftOut`. Other bytes give nothing. */
export function* archivedFiles(
  bytes: Buffer,
  wanted: (path: string) => boolean,
  leftOut: LeftOut,
): Generator<ArchivedFile> {
  if (bytes.length < 22) return;
  if (bytes.readUInt32LE(0) === LOCAL_HEADER) yield* zipFiles(bytes, wanted, leftOut);
  else if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const plain = inflated(() => gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }));
    if (plain === undefined) leftOut(`damaged, or inflates to more than ${MAX_INFLATED_BYTES / MiB} MiB`);
    else if (isTar(plain)) yield* tarFiles(plain, wanted, leftOut);
    else yield { path: '', bytes: plain };
  } else if (isTar(bytes)) yield* tarFiles(bytes, wanted, leftOut);
}

/** Undefined when damaged or larger than the limit. */
function inflated(inflate: () => Buffer): Buffer | undefined {
  try {
    return inflate();
  } catch {
    return undefined;
  }
}

function* zipFiles(
  bytes: Buffer,
  wanted: (path: string) => boolean,
  leftOut: LeftOut,
): Generator<ArchivedFile> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > bytes.length || bytes.readUInt32LE(end) !== END_OF_DIRECTORY) {
    leftOut('the archive has no directory');
    return;
  }
  let at = bytes.readUInt32LE(end + 16);
  let total = 0;
  for (let count = 0; count < MAX_FILES && at + 46 <= bytes.length; count++) {
    if (at + 4 > end) return;
    if (bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      leftOut('the directory of the archive is damaged');
      return;
    }
    if (count === MAX_FILES - 1) leftOut(`files after the first ${MAX_FILES}`);
    const method = bytes.readUInt16LE(at + 10);
    const stored = bytes.readUInt32LE(at + 20);
    const size = bytes.readUInt32LE(at + 24);
    const nameLength = bytes.readUInt16LE(at + 28);
    const path = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const local = bytes.readUInt32LE(at + 42);
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (size === 0 || path.endsWith('/') || !wanted(path)) continue;
    if (size > MAX_FILE_BYTES) {
      leftOut(TOO_LARGE);
      continue;
    }
    total += size;
    if (total > MAX_INFLATED_BYTES) {
      leftOut(`more than ${MAX_INFLATED_BYTES / MiB} MiB of files`);
      return;
    }
    const content = zipContent(bytes, local, method, stored, size);
    if (content === undefined) leftOut('a file is damaged or of another compression');
    else yield { path, bytes: content };
  }
}

function zipContent(
  bytes: Buffer,
  local: number,
  method: number,
  stored: number,
  size: number,
): Buffer | undefined {
  if (local + 30 > bytes.length || bytes.readUInt32LE(local) !== LOCAL_HEADER) return undefined;
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const raw = bytes.subarray(start, start + stored);
  if (method === STORED) return raw.subarray(0, size);
  if (method !== DEFLATED) return undefined;
  return inflated(() => inflateRawSync(raw, { maxOutputLength: size }));
}

const BLOCK = 512;
const USTAR_AT = 257;

function isTar(bytes: Buffer): boolean {
  return bytes.length >= BLOCK && bytes.toString('latin1', USTAR_AT, USTAR_AT + 5) === 'ustar';
}

function* tarFiles(
  bytes: Buffer,
  wanted: (path: string) => boolean,
  leftOut: LeftOut,
): Generator<ArchivedFile> {
  let at = 0;
  let longName = '';
  for (let count = 0; count < MAX_FILES && at + BLOCK <= bytes.length; count++) {
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 136).replace(/[^0-7].*$/s, ''), 8);
    if (!Number.isSafeInteger(size)) return;
    const type = bytes[at + 156];
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    const path = longName || tarName(bytes, at);
    longName = type === 0x4c ? text(content) : '';
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (count === MAX_FILES - 1) leftOut(`files after the first ${MAX_FILES}`);
    const file = type === 0x30 || type === 0;
    if (!file || size === 0 || !wanted(path)) continue;
    if (size > MAX_FILE_BYTES) leftOut(TOO_LARGE);
    else yield { path, bytes: content };
  }
}

function tarName(bytes: Buffer, at: number): string {
  const prefix = text(bytes.subarray(at + 345, at + 500));
  const name = text(bytes.subarray(at, at + 100));
  return (prefix === '' ? name : `${prefix}/${name}`).replace(/^(?:\.?\/)+/, '');
}

/** Up to the first NUL. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
