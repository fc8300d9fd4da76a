// The content of one member of a zip archive: stored or deflated, never more than a limit (APPNOTE 6.3).
import { inflateRawSync } from 'node:zlib';
import { describeError } from '../../../core/index.ts';
import { type ArchiveBytes, memoryBytes } from './archive-bytes.ts';
import type { ZipMember } from './zip-directory.ts';

export type MemberContent =
  | { readonly state: 'read'; readonly bytes: ArchiveBytes; readonly inflated: number }
  | { readonly state: 'unreadable'; readonly reason: string; readonly inflated: number };

const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** What inflates to more than this many times its size is no archive of programs, but made to fill memory. */
const MAX_RATIO = 200;
const RATIO_FREE_BYTES = 1024 * 1024;

/**
 * Reads a member. Stored ones are a slice of the archive; deflated ones are inflated to at most `limit` bytes, and
 * `inflated` says how many bytes that gave, at most, also where it failed. Never throws.
 */
export function readMember(archive: ArchiveBytes, member: ZipMember, limit: number): MemberContent {
  const { compressedSize, size, method } = member;
  if (member.encrypted) return unreadable('encrypted');
  if (!Number.isSafeInteger(member.offset) || member.offset < 0) return unreadable('outside the archive');
  const local = archive.read(member.offset, LOCAL_BYTES);
  if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== LOCAL_SIGNATURE)
    return unreadable('its local header is damaged');
  const start = member.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + compressedSize > archive.size) return unreadable('cut short');
  if (method === STORED) return { state: 'read', bytes: archive.slice(start, compressedSize), inflated: 0 };
  if (method !== DEFLATED) return unreadable(`compression method ${method}`);
  if (size > limit) return unreadable(`larger than ${limit} bytes`);
  if (size > RATIO_FREE_BYTES && size > compressedSize * MAX_RATIO)
    return unreadable(`inflates to more than ${MAX_RATIO} times its size`);
  try {
    const packed = archive.read(start, compressedSize);
    const bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
    return { state: 'read', bytes: memoryBytes(bytes), inflated: bytes.length };
  } catch (error) {
    return unreadable(describeError(error), size);
  }
}

function unreadable(reason: string, inflated = 0): MemberContent {
  return { state: 'unreadable', reason, inflated };
}
