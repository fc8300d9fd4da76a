// Where the members of a tar file lie: one pass over the headers with positional reads, content is skipped.
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { MiB } from '../../core/index.ts';
import { cleanPath } from '../layers/entry-path.ts';
import { parsePaxRecords } from '../layers/pax.ts';
import { BLOCK, isZeroBlock, parseTarHeader, type TarHeader } from '../layers/tar-header.ts';
import { readRange } from './blob-file.ts';

const MAX_MEMBERS = 200_000;
const MAX_HEADER_BYTES = MiB;
const MAX_LINKS = 8;

/** Bytes of a member in the archive. */
export interface ArchiveMember {
  readonly position: number;
  readonly size: number;
}

type Entry = ArchiveMember | { readonly link: string };

/** The members of a tar file by cleaned path. A later member replaces an earlier one, as unpacking would. */
export class ArchiveIndex {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  /** The member at a path, links followed within the archive; undefined when there is none. */
  find(path: string): ArchiveMember | undefined {
    let current = cleanPath(path);
    for (let followed = 0; followed <= MAX_LINKS; followed++) {
      if (current.oddity === 'escapes') return undefined;
      const entry = this.#entries.get(current.path);
      if (entry === undefined || 'position' in entry) return entry;
      current = cleanPath(entry.link);
    }
    return undefined;
  }
}

/** Reads all headers; in words what is wrong when it is no complete tar file. */
export async function indexArchive(file: FileHandle): Promise<ArchiveIndex | string> {
  const { size: fileSize } = await file.stat();
  const entries = new Map<string, Entry>();
  const pending = new PendingNames();
  let position = 0;
  while (position + BLOCK <= fileSize) {
    const block = await readRange(file, position, BLOCK);
    if (block.length < BLOCK || isZeroBlock(block, 0)) break;
    const header = parseTarHeader(block, 0);
    if (header === null)
      return position === 0 ? 'it is not a tar file' : `its header at byte ${position} is damaged`;
    if (header.sparse !== null) return 'it has sparse members';
    position += BLOCK;
    const size = pending.sizeOf(header);
    if (position + size > fileSize) return 'it ends within a member';
    if (isExtension(header)) {
      if (size > MAX_HEADER_BYTES) return 'it has an extended header that is too large';
      if (!pending.add(header, await readRange(file, position, size))) return 'it has a damaged PAX header';
    } else {
      if (entries.size >= MAX_MEMBERS) return `it has more than ${MAX_MEMBERS} members`;
      addEntry(entries, header, pending, { position, size });
      pending.clear();
    }
    position += Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries.size === 0 ? 'it is empty or not a tar file' : new ArchiveIndex(entries);
}

function isExtension(header: TarHeader): boolean {
  return 'xgXLK'.includes(String.fromCharCode(header.typeFlag));
}

function addEntry(
  entries: Map<string, Entry>,
  header: TarHeader,
  pending: PendingNames,
  member: ArchiveMember,
): void {
  const { path, oddity } = cleanPath(pending.name ?? header.name);
  if (path === '' || oddity === 'escapes') return;
  const linkName = pending.linkName ?? header.linkName;
  switch (String.fromCharCode(header.typeFlag)) {
    case '0':
    case '\0':
    case '7':
      entries.set(path, member);
      return;
    case '1':
      entries.set(path, { link: linkName });
      return;
    case '2':
      entries.set(path, { link: posix.join(posix.dirname(path), linkName) });
      return;
    default:
      return;
  }
}

/** Names and size that extended headers set for the next member. */
class PendingNames {
  name: string | undefined;
  linkName: string | undefined;
  #size: number | undefined;

  sizeOf(header: TarHeader): number {
    if ('123456'.includes(String.fromCharCode(header.typeFlag))) return 0;
    return isExtension(header) ? header.size : (this.#size ?? header.size);
  }

  /** False when the records are malformed. */
  add(header: TarHeader, content: Buffer): boolean {
    const flag = String.fromCharCode(header.typeFlag);
    if (flag === 'g') return true;
    if (flag === 'L' || flag === 'K') {
      const end = content.indexOf(0);
      const text = content.toString('utf8', 0, end < 0 ? content.length : end);
      if (flag === 'L') this.name = text;
      else this.linkName = text;
      return true;
    }
    const records = parsePaxRecords(content);
    if (records === null) return false;
    this.name = records.path || this.name;
    this.linkName = records.linkpath || this.linkName;
    this.#size = records.size;
    return true;
  }

  clear(): void {
    this.name = this.linkName = this.#size = undefined;
  }
}
