// Reads a backup file: checks its digest as a whole first, then gives out its sections piece by piece.
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type { ZodType } from 'zod';
import { BreakwaterError, describeError, KiB, MiB } from '../core/index.ts';
import {
  DIGEST_BYTES,
  END_MAGIC,
  FOOTER_BYTES,
  FORMAT,
  headerSchema,
  indexSchema,
  MAGIC,
  MAX_HEADER_BYTES,
  MAX_INDEX_BYTES,
  MAX_LINE_BYTES,
  PREFIX_BYTES,
  type BackupHeader,
  type BackupIndex,
  type BackupRow,
  type BackupTable,
} from './backup-format.ts';
import type { Section } from './backup-writer.ts';
import { storeErrors } from './errors.ts';

const READ_BYTES = 256 * KiB;

export interface BackupFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly header: BackupHeader;
  readonly index: BackupIndex;
  close(): Promise<void>;
}

/**
 * Opens a backup and checks every byte of it against its digest.
 * Rejects with STORE_BACKUP_READ, STORE_BACKUP_NEWER_FORMAT or STORE_BACKUP_DAMAGED.
 */
export async function openBackup(path: string): Promise<BackupFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    const { header, sectionsStart } = await readHeader(handle, path, size);
    await checkDigest(handle, path, size);
    const index = await readIndex(handle, path, size, sectionsStart);
    const opened = handle;
    return { path, handle, header, index, close: () => opened.close() };
  } catch (error) {
    await handle?.close();
    if (error instanceof BreakwaterError) throw error;
    throw storeErrors.create('STORE_BACKUP_READ', { path, reason: describeError(error) }, error);
  }
}

export function damaged(path: string, reason: string, cause?: unknown): BreakwaterError {
  return storeErrors.create('STORE_BACKUP_DAMAGED', { path, reason }, cause);
}

async function readHeader(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<{ header: BackupHeader; sectionsStart: number }> {
  if (size < PREFIX_BYTES + FOOTER_BYTES) throw damaged(path, 'it is too short');
  const prefix = await readExactly(handle, path, 0, PREFIX_BYTES);
  if (!prefix.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged(path, 'it does not begin like one');
  const format = prefix.readUInt32BE(MAGIC.length);
  if (format > FORMAT) {
    throw storeErrors.create('STORE_BACKUP_NEWER_FORMAT', { path, format, supported: FORMAT });
  }
  const length = prefix.readUInt32BE(MAGIC.length + 4);
  if (format < 1 || length > MAX_HEADER_BYTES || PREFIX_BYTES + length > size - FOOTER_BYTES) {
    throw damaged(path, 'its header is not readable');
  }
  const text = await readExactly(handle, path, PREFIX_BYTES, length);
  return { header: parse(path, text, headerSchema, 'header'), sectionsStart: PREFIX_BYTES + length };
}

async function checkDigest(handle: FileHandle, path: string, size: number): Promise<void> {
  const footer = await readExactly(handle, path, size - FOOTER_BYTES, FOOTER_BYTES);
  if (!footer.subarray(4 + DIGEST_BYTES).equals(END_MAGIC)) throw damaged(path, 'its end is missing');
  const covered = size - END_MAGIC.length - DIGEST_BYTES;
  const hash = createHash('sha256');
  for (let at = 0; at < covered; at += MiB) {
    hash.update(await readExactly(handle, path, at, Math.min(MiB, covered - at)));
  }
  if (!hash.digest().equals(footer.subarray(4, 4 + DIGEST_BYTES))) {
    throw damaged(path, 'its content does not match its digest');
  }
}

async function readIndex(
  handle: FileHandle,
  path: string,
  size: number,
  sectionsStart: number,
): Promise<BackupIndex> {
  const length = (await readExactly(handle, path, size - FOOTER_BYTES, 4)).readUInt32BE();
  const start = size - FOOTER_BYTES - length;
  if (length > MAX_INDEX_BYTES || start < sectionsStart) throw damaged(path, 'its index is not readable');
  const index = parse(path, await readExactly(handle, path, start, length), indexSchema, 'index');
  const sections: Section[] = [...index.tables, ...(index.objects === null ? [] : [index.objects])];
  if (sections.some(({ offset, length: bytes }) => offset < sectionsStart || offset + bytes > start)) {
    throw damaged(path, 'its index points outside of it');
  }
  return index;
}

function parse<T>(path: string, bytes: Buffer, schema: ZodType<T>, what: string): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw damaged(path, `its ${what} is not readable`, error);
  }
}

async function readExactly(handle: FileHandle, path: string, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) throw damaged(path, 'it ends early');
    filled += bytesRead;
  }
  return buffer;
}

async function* chunks(handle: FileHandle, path: string, section: Section): AsyncGenerator<Buffer> {
  const end = section.offset + section.length;
  for (let at = section.offset; at < end; at += READ_BYTES) {
    yield await readExactly(handle, path, at, Math.min(READ_BYTES, end - at));
  }
}

/** The decompressed bytes of a section. */
export async function* readSection(
  handle: FileHandle,
  path: string,
  section: Section,
): AsyncGenerator<Buffer> {
  if (section.length === 0) return;
  // Not a read stream of the handle: destroying one closes the file, whatever `autoClose` says.
  const source = Readable.from(chunks(handle, path, section));
  const decompress = createZstdDecompress();
  source.on('error', (error) => decompress.destroy(error));
  try {
    for await (const chunk of source.pipe(decompress)) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (error) {
    throw damaged(path, `a section cannot be unpacked (${describeError(error)})`, error);
  } finally {
    source.destroy();
    decompress.destroy();
  }
}

/** The rows of a table; each checked to have one text or null for each column. */
export async function* readRows(
  handle: FileHandle,
  path: string,
  table: Pick<BackupTable, 'name' | 'columns' | 'offset' | 'length'>,
): AsyncGenerator<BackupRow> {
  for await (const line of readLines(handle, path, table)) {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (error) {
      throw damaged(path, `a row of ${table.name} is not readable`, error);
    }
    if (!isRow(row) || row.length !== table.columns.length) {
      throw damaged(path, `a row of ${table.name} does not have the table's columns`);
    }
    yield row;
  }
}

async function* readLines(handle: FileHandle, path: string, section: Section): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let held = 0;
  for await (const chunk of readSection(handle, path, section)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...pieces, chunk.subarray(start, end)]).toString('utf8');
      pieces = [];
      held = 0;
      start = end + 1;
    }
    held += chunk.length - start;
    if (held > MAX_LINE_BYTES) throw damaged(path, 'a row is too large');
    pieces.push(chunk.subarray(start));
  }
  if (held > 0) throw damaged(path, 'a section ends within a row');
}

function isRow(value: unknown): value is BackupRow {
  return Array.isArray(value) && value.every((item) => item === null || typeof item === 'string');
}
