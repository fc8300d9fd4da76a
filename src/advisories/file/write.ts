// Writes a whole advisory file beside its place, flushes it to disk and moves it there.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KiB, MiB } from '../../core/index.ts';
import type { AdvisoryCollector } from '../collector.ts';
import { MAGIC, MAX_KEY_BYTES, MAX_VALUE_BYTES, sha256, TRAILER_BYTES } from './format.ts';
import { packFacts, packStatement, type StoredInfo } from './records.ts';
import { type Append, SectionWriter } from './section-writer.ts';

/** Statements of one package are cut into values of about this many bytes. */
const STATEMENT_BYTES = 64 * KiB;
const PENDING_BYTES = 4 * MiB;
const MAX_IDS_OF_ALIAS = 1_000;

type SectionRecord = readonly [key: Buffer, value: Buffer];

export interface WrittenFile {
  /** The file's identity, `sha256:<hex>`. */
  readonly digest: string;
  /** Size in bytes. */
  readonly bytes: number;
  readonly info: StoredInfo;
}

/** Writes the file; at `path` there is the whole of it or what was there before. File system errors pass through. */
export async function writeAdvisoryFile(
  collector: AdvisoryCollector,
  path: string,
  info: Pick<StoredInfo, 'builtAt' | 'sources'>,
): Promise<WrittenFile> {
  const temporary = `${path}.${process.pid}.partial`;
  const file = await open(temporary, 'w', 0o644);
  try {
    const result = await writeBody(collector, file, info);
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeBody(
  collector: AdvisoryCollector,
  file: FileHandle,
  given: Pick<StoredInfo, 'builtAt' | 'sources'>,
): Promise<WrittenFile> {
  const out = new BufferedOutput(file);
  out.append(MAGIC);
  let offset = MAGIC.length;
  const indexes: Buffer[] = [];
  const section = async (records: Iterable<SectionRecord>): Promise<void> => {
    const writer = new SectionWriter(out.append, offset);
    for (const [key, value] of records) {
      writer.add(key, value);
      if (out.full) await out.flush();
    }
    const written = writer.finish();
    indexes.push(written.index);
    offset = written.offset;
  };
  const seen: PackagesSeen = { count: 0, ecosystems: new Set() };
  await section(packageRecords(collector, seen));
  const ids = sorted(collector.ids());
  await section(factRecords(collector, ids));
  await section(textRecords(collector, ids));
  await section(aliasRecords(collector));
  const index = Buffer.concat(indexes);
  const { count: packages, ecosystems } = seen;
  const info: StoredInfo = { ...given, advisories: ids.length, packages, ecosystems: [...ecosystems] };
  const infoBytes = Buffer.from(JSON.stringify(info));
  const trailer = trailerOf(offset, index, infoBytes);
  for (const part of [index, infoBytes, trailer]) out.append(part);
  await out.flush();
  const bytes = offset + index.length + infoBytes.length + TRAILER_BYTES;
  return { digest: `sha256:${trailer.toString('hex', 16, 48)}`, bytes, info };
}

interface PackagesSeen {
  count: number;
  readonly ecosystems: Set<string>;
}

function* packageRecords(collector: AdvisoryCollector, seen: PackagesSeen): Generator<SectionRecord> {
  for (const { key, bytes } of sorted(collector.keys())) {
    const values = packageValues(collector, key);
    if (values.length === 0) continue;
    seen.count++;
    seen.ecosystems.add(key.slice(0, key.indexOf('\0')));
    for (const value of values) yield [bytes, value];
  }
}

function* factRecords(collector: AdvisoryCollector, ids: readonly SortedKey[]): Generator<SectionRecord> {
  for (const { key, bytes } of ids) {
    const facts = collector.facts(key);
    if (facts !== undefined) yield [bytes, Buffer.from(packFacts(facts))];
  }
}

function* textRecords(collector: AdvisoryCollector, ids: readonly SortedKey[]): Generator<SectionRecord> {
  for (const { key, bytes } of ids) {
    const text = collector.text(key);
    if (text !== undefined) yield [bytes, text];
  }
}

function* aliasRecords(collector: AdvisoryCollector): Generator<SectionRecord> {
  const aliases = collector.aliases();
  for (const { key, bytes } of sorted(aliases.keys())) {
    yield [bytes, Buffer.from(JSON.stringify((aliases.get(key) ?? []).slice(0, MAX_IDS_OF_ALIAS)))];
  }
}

/** The statements of a package as one or more JSON lists, so that no value and no block grows without bound. */
function packageValues(collector: AdvisoryCollector, key: string): readonly Buffer[] {
  const values: Buffer[] = [];
  let pending: string[] = [];
  let length = 0;
  const close = (): void => {
    if (pending.length > 0) values.push(Buffer.from(`[${pending.join(',')}]`));
    pending = [];
    length = 0;
  };
  for (const statement of collector.takeStatements(key)) {
    const packed = packStatement(statement);
    if (Buffer.byteLength(packed) > MAX_VALUE_BYTES) continue;
    if (length + packed.length > STATEMENT_BYTES) close();
    pending.push(packed);
    length += packed.length;
  }
  close();
  return values;
}

interface SortedKey {
  readonly key: string;
  readonly bytes: Buffer;
}

function sorted(keys: Iterable<string>): readonly SortedKey[] {
  return [...keys]
    .map((key) => ({ key, bytes: Buffer.from(key) }))
    .filter(({ bytes }) => bytes.length <= MAX_KEY_BYTES)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}

function trailerOf(offset: number, index: Buffer, info: Buffer): Buffer {
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64LE(BigInt(offset), 0);
  lengths.writeUInt32LE(index.length, 8);
  lengths.writeUInt32LE(info.length, 12);
  return Buffer.concat([lengths, sha256(lengths, index, info), MAGIC]);
}

/** Collects small writes. */
class BufferedOutput {
  readonly #file: FileHandle;
  #parts: Buffer[] = [];
  #bytes = 0;
  readonly append: Append;

  constructor(file: FileHandle) {
    this.#file = file;
    this.append = (bytes) => {
      this.#parts.push(bytes);
      this.#bytes += bytes.length;
    };
  }

  get full(): boolean {
    return this.#bytes >= PENDING_BYTES;
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten;
  }
}

/** Makes the rename durable. Some file systems cannot sync a folder; the file itself is safe then too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  if (folder === undefined) return;
  await folder.sync().catch(() => undefined);
  await folder.close();
}
