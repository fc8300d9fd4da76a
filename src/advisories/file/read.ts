// Opens an advisory file: reads and checks the end of it, then answers look-ups block by block.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BreakwaterError, describeError } from '../../core/index.ts';
import { advisoryErrors } from '../errors.ts';
import type {
  Advisory,
  AdvisoryBlock,
  AdvisoryFacts,
  AdvisoryFile,
  AdvisoryFileInfo,
  AdvisorySection,
  AffectedPackage,
} from '../types.ts';
import {
  MAGIC,
  MAX_INDEX_BYTES,
  MAX_INFO_BYTES,
  packageKey,
  SECTION_COUNT,
  sha256,
  TRAILER_BYTES,
} from './format.ts';
import {
  type StoredInfo,
  unpackFacts,
  unpackIds,
  unpackInfo,
  unpackStatements,
  unpackText,
} from './records.ts';
import { Damage, type ReadAt, SectionReader } from './section-reader.ts';

/**
 * Opens an advisory file. Reads only its end (a few hundred KiB); blocks are read and checked when a look-up needs
 * them. Throws ADVISORIES_FILE_UNREADABLE, _NOT_RECOGNISED or _CORRUPT; look-ups throw _CORRUPT, _UNREADABLE or _CLOSED.
 */
export function openAdvisoryFile(path: string): AdvisoryFile {
  const descriptor = guarded(path, () => openSync(path, 'r'));
  try {
    return guarded(path, () => new BlockFile(path, descriptor));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Reads a whole advisory file, every block against its hash, and says what it holds: for files that came from elsewhere.
 * Throws what `openAdvisoryFile` and look-ups throw.
 */
export function verifyAdvisoryFile(path: string): AdvisoryFileInfo {
  const descriptor = guarded(path, () => openSync(path, 'r'));
  try {
    return guarded(path, () => {
      const file = new BlockFile(path, descriptor);
      file.verify();
      return file.info;
    });
  } finally {
    closeSync(descriptor);
  }
}

class BlockFile implements AdvisoryFile {
  readonly info: AdvisoryFileInfo;
  readonly #path: string;
  readonly #packages: SectionReader;
  readonly #facts: SectionReader;
  readonly #texts: SectionReader;
  readonly #aliases: SectionReader;
  readonly #ecosystems: readonly string[];
  #descriptor: number | undefined;

  constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    const readAt: ReadAt = (offset, length) => this.#read(offset, length);
    const end = readEnd(path, fstatSync(descriptor), readAt);
    let index = end.index;
    const [packages, facts, texts, aliases] = Array.from({ length: SECTION_COUNT }, () => {
      const section = new SectionReader(index, readAt);
      index = index.subarray(section.indexBytes);
      return section;
    });
    if (!packages || !facts || !texts || !aliases || index.length > 0) {
      throw new Damage('the index has other sections than expected');
    }
    this.#packages = packages;
    this.#facts = facts;
    this.#texts = texts;
    this.#aliases = aliases;
    const { ecosystems, ...stored } = end.info;
    this.#ecosystems = ecosystems;
    this.info = { kind: 'file', digest: end.digest, ...stored };
  }

  lookup(ecosystem: string, name: string): readonly AffectedPackage[] {
    return guarded(this.#path, () => {
      const values = this.#packages.values(Buffer.from(packageKey(ecosystem, name)));
      return values.flatMap((value) => unpackStatements(value, ecosystem, name));
    });
  }

  facts(id: string): AdvisoryFacts | undefined {
    return guarded(this.#path, () => {
      const [value] = this.#facts.values(Buffer.from(id));
      return value === undefined ? undefined : unpackFacts(value);
    });
  }

  advisory(id: string): Advisory | undefined {
    const facts = this.facts(id);
    if (facts === undefined) return undefined;
    return guarded(this.#path, () => {
      const [value] = this.#texts.values(Buffer.from(id));
      if (value === undefined) throw new Damage('an advisory has no text');
      return { ...facts, ...unpackText(value) };
    });
  }

  aliasedBy(alias: string): readonly string[] {
    return guarded(this.#path, () => {
      const [value] = this.#aliases.values(Buffer.from(alias));
      return value === undefined ? [] : unpackIds(value);
    });
  }

  ecosystems(): readonly string[] {
    return this.#ecosystems;
  }

  *blocks(section: AdvisorySection): Generator<AdvisoryBlock> {
    const reader = section === 'packages' ? this.#packages : this.#facts;
    for (let position = 0; position < reader.blockCount; position++) {
      yield {
        hash: guarded(this.#path, () => reader.blockHash(position)),
        records: () => guarded(this.#path, () => reader.records(position)),
      };
    }
  }

  verify(): void {
    for (const section of [this.#packages, this.#facts, this.#texts, this.#aliases]) section.verify();
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #read(offset: number, length: number): Buffer {
    if (this.#descriptor === undefined)
      throw advisoryErrors.create('ADVISORIES_FILE_CLOSED', { path: this.#path });
    if (!Number.isSafeInteger(offset)) throw new Damage('a block lies outside the file');
    const bytes = Buffer.allocUnsafe(length);
    let read = 0;
    while (read < length) {
      const count = readSync(this.#descriptor, bytes, read, length - read, offset + read);
      if (count === 0) throw new Damage('the file is cut short');
      read += count;
    }
    return bytes;
  }
}

function readEnd(
  path: string,
  stat: { readonly size: number; isFile(): boolean },
  readAt: ReadAt,
): { readonly index: Buffer; readonly info: StoredInfo; readonly digest: string } {
  const foreign = (reason: string) =>
    advisoryErrors.create('ADVISORIES_FILE_NOT_RECOGNISED', { path, reason });
  if (!stat.isFile()) throw foreign('not a regular file');
  if (stat.size < MAGIC.length + TRAILER_BYTES) throw foreign('too small');
  if (!readAt(0, MAGIC.length).equals(MAGIC)) throw foreign('it does not begin like one');
  const trailer = readAt(stat.size - TRAILER_BYTES, TRAILER_BYTES);
  if (!trailer.subarray(48).equals(MAGIC)) throw new Damage('it does not end where it should');
  const offset = Number(trailer.readBigUInt64LE(0));
  const indexLength = trailer.readUInt32LE(8);
  const infoLength = trailer.readUInt32LE(12);
  if (indexLength > MAX_INDEX_BYTES || infoLength > MAX_INFO_BYTES)
    throw new Damage('its index is too large');
  if (offset + indexLength + infoLength + TRAILER_BYTES !== stat.size)
    throw new Damage('its index is not where it should be');
  const end = readAt(offset, indexLength + infoLength);
  const hash = trailer.subarray(16, 48);
  if (!sha256(trailer.subarray(0, 16), end).equals(hash))
    throw new Damage('its index does not match its hash');
  return {
    index: end.subarray(0, indexLength),
    info: unpackInfo(end.subarray(indexLength)),
    digest: `sha256:${hash.toString('hex')}`,
  };
}

/** Turns damage and system errors into the folder's errors. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof BreakwaterError) throw error;
    if (error instanceof Damage) {
      throw advisoryErrors.create('ADVISORIES_FILE_CORRUPT', { path, reason: error.message }, error);
    }
    throw advisoryErrors.create('ADVISORIES_FILE_UNREADABLE', { path, reason: describeError(error) }, error);
  }
}
