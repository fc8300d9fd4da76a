// The central directory of a zip archive, with limits (APPNOTE 6.3; zip64; bytes before the archive, as in executable jars).
import type { ArchiveBytes } from './archive-bytes.ts';

/** One member of the archive, as the central directory tells. Nothing of it has been checked against the content. */
export interface ZipMember {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly compressedSize: number;
  readonly size: number;
  /** Position of the local header. */
  readonly offset: number;
}

export type ZipDirectory =
  /** `bytes`: how many bytes were looked at to find the members. */
  | { readonly state: 'read'; readonly members: Iterable<ZipMember>; readonly bytes: number }
  | { readonly state: 'invalid'; readonly reason: string; readonly bytes: number };

const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;
const MAX_COMMENT_BYTES = 65_535;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
const ENTRY_BYTES = 46;
const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');
const LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const IN_ZIP64 = 0xffffffff;
const ENCRYPTED = 1;

/** Finds and reads the central directory. Members stop at the first damaged one. Never throws. */
export function readZipDirectory(archive: ArchiveBytes): ZipDirectory {
  const tailStart = Math.max(0, archive.size - END_BYTES - MAX_COMMENT_BYTES - LOCATOR_BYTES);
  const tail = archive.read(tailStart, archive.size - tailStart);
  const at = tail.lastIndexOf(END_SIGNATURE);
  if (at < 0 || at + END_BYTES > tail.length) return invalid('no end of a zip archive', tail);
  const bounds = boundsOf(archive, tail, at, tailStart);
  if (bounds === undefined) return invalid('the zip64 end record is damaged', tail);
  const { length, offset, end } = bounds;
  if (length > MAX_DIRECTORY_BYTES) return invalid('the central directory is larger than 64 MiB', tail);
  // The directory ends where its end record starts; what its offset lacks to that are bytes before the archive.
  const start = end - length;
  if (length < 0 || start < offset) return invalid('the central directory lies outside the archive', tail);
  const members = membersOf(archive.read(start, length), start - offset);
  return { state: 'read', members, bytes: tail.length + length };
}

function invalid(reason: string, tail: Buffer): ZipDirectory {
  return { state: 'invalid', reason, bytes: tail.length };
}

function boundsOf(archive: ArchiveBytes, tail: Buffer, at: number, tailStart: number) {
  const length = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  const locator = at - LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== LOCATOR_SIGNATURE)
    return { length, offset, end: tailStart + at };
  const near = tailStart + locator - ZIP64_END_BYTES;
  if (near < 0) return undefined;
  const record = archive.read(near, ZIP64_END_BYTES);
  if (record.length < ZIP64_END_BYTES || record.readUInt32LE(0) !== ZIP64_END_SIGNATURE) return undefined;
  return {
    length: Number(record.readBigUInt64LE(40)),
    offset: Number(record.readBigUInt64LE(48)),
    end: near,
  };
}

function* membersOf(directory: Buffer, shift: number): Generator<ZipMember> {
  for (let at = 0; at + ENTRY_BYTES <= directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) return;
    const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    if (extraEnd > directory.length) return;
    const sizes = withZip64(
      {
        size: directory.readUInt32LE(at + 24),
        compressedSize: directory.readUInt32LE(at + 20),
        offset: directory.readUInt32LE(at + 42),
      },
      directory.subarray(nameEnd, extraEnd),
    );
    yield {
      name: directory.toString('utf8', at + ENTRY_BYTES, nameEnd),
      method: directory.readUInt16LE(at + 10),
      encrypted: (directory.readUInt16LE(at + 8) & ENCRYPTED) !== 0,
      size: sizes.size,
      compressedSize: sizes.compressedSize,
      offset: sizes.offset + shift,
    };
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
}

/** Fields of 0xffffffff stand, in this order, in the zip64 extra field (APPNOTE 4.5.3). */
function withZip64(small: { size: number; compressedSize: number; offset: number }, extra: Buffer) {
  const sizes = { ...small };
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressedSize', 'offset'] as const) {
      if (small[key] !== IN_ZIP64 || field + 8 > extra.length) continue;
      sizes[key] = Number(extra.readBigUInt64LE(field));
      field += 8;
    }
  }
  return sizes;
}
