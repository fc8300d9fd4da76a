// Zip archives of JSON files, as osv.dev exports them (APPNOTE 6.3: central directory, zip64; stored or deflated).
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { MiB } from '../../core/index.ts';
import { MAX_RECORD_BYTES, parseJson, type SourceItem } from './lines.ts';

const MAX_DIRECTORY_BYTES = 512 * MiB;
const MAX_ENTRIES = 2_000_000;
const MAX_TOTAL_BYTES = 8 * 1024 * MiB;
const BATCH = 256;
const END_SIGNATURE = 0x06054b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const inflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw);

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly offset: number;
}

/** Why an archive cannot be read at all. */
export class ZipProblem extends Error {}

/** The `.json` members of an archive, parsed, in batches. Bad members are items; a bad archive throws {@link ZipProblem}. */
export async function* readZip(path: string): AsyncGenerator<readonly SourceItem[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const directory = await readDirectory(file, size);
    let batch: SourceItem[] = [];
    let total = 0;
    for (const entry of entriesOf(directory)) {
      if (!entry.name.endsWith('.json')) continue;
      total += entry.size;
      if (total > MAX_TOTAL_BYTES) throw new ZipProblem('the archive unpacks to more than 8 GiB');
      batch.push(await readMember(file, size, entry));
      if (batch.length >= BATCH) {
        yield batch;
        batch = [];
      }
    }
    yield batch;
  } finally {
    await file.close();
  }
}

/** Reads only the central directory: is it an archive, and all of it? @throws ZipProblem */
export async function checkZip(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const directory = await readDirectory(file, size);
    if (entriesOf(directory).next().done === true) throw new ZipProblem('there is nothing in the archive');
  } finally {
    await file.close();
  }
}

async function readDirectory(file: FileHandle, size: number): Promise<Buffer> {
  const tail = await readAt(file, Math.max(0, size - 65_557), Math.min(size, 65_557));
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== END_SIGNATURE) at--;
  if (at < 0) throw new ZipProblem('no end of central directory: not a zip archive, or cut short');
  let length = tail.readUInt32LE(at + 12);
  let offset = tail.readUInt32LE(at + 16);
  const locator = at - 20;
  if (locator >= 0 && tail.readUInt32LE(locator) === ZIP64_LOCATOR_SIGNATURE) {
    const end = await readAt(file, Number(tail.readBigUInt64LE(locator + 8)), 56);
    if (end.length < 56 || end.readUInt32LE(0) !== ZIP64_END_SIGNATURE)
      throw new ZipProblem('bad zip64 end record');
    length = Number(end.readBigUInt64LE(40));
    offset = Number(end.readBigUInt64LE(48));
  }
  if (length > MAX_DIRECTORY_BYTES || offset + length > size)
    throw new ZipProblem('bad central directory bounds');
  return readAt(file, offset, length);
}

function* entriesOf(directory: Buffer): Generator<ZipEntry> {
  let at = 0;
  for (
    let count = 0;
    at + 46 <= directory.length && directory.readUInt32LE(at) === ENTRY_SIGNATURE;
    count++
  ) {
    if (count >= MAX_ENTRIES) throw new ZipProblem('too many members');
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    if (extraEnd > directory.length) throw new ZipProblem('central directory is cut short');
    const small = {
      size: directory.readUInt32LE(at + 24),
      compressedSize: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    };
    yield {
      name: directory.toString('utf8', at + 46, nameEnd),
      method: directory.readUInt16LE(at + 10),
      ...withZip64(small, directory.subarray(nameEnd, extraEnd)),
    };
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
}

/** Fields of 0xffffffff are found, in this order, in the zip64 extra field (APPNOTE 4.5.3). */
function withZip64(small: { size: number; compressedSize: number; offset: number }, extra: Buffer) {
  const large = { ...small };
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressedSize', 'offset'] as const) {
      if (small[key] !== 0xffffffff || field + 8 > extra.length) continue;
      large[key] = Number(extra.readBigUInt64LE(field));
      field += 8;
    }
  }
  return large;
}

async function readMember(file: FileHandle, fileSize: number, entry: ZipEntry): Promise<SourceItem> {
  const problem = (reason: string): SourceItem => ({ unreadable: `${entry.name.slice(0, 200)}: ${reason}` });
  if (entry.size > MAX_RECORD_BYTES || entry.compressedSize > MAX_RECORD_BYTES) return problem('too large');
  if (entry.offset + 30 > fileSize) return problem('outside the archive');
  const local = await readAt(file, entry.offset, 30);
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL_SIGNATURE) return problem('bad local header');
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = await readAt(file, start, entry.compressedSize);
  if (packed.length < entry.compressedSize) return problem('cut short');
  if (entry.method === 0) return parseJson(packed.toString('utf8'));
  if (entry.method !== 8) return problem(`compression method ${entry.method}`);
  try {
    return parseJson((await inflate(packed, { maxOutputLength: entry.size + 1 })).toString('utf8'));
  } catch {
    return problem('damaged');
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
