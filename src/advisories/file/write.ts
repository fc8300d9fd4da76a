// Writes a whole advisory file beside its place, flushes it to disk and moves it there.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AdvisoryCollector } from '../collector.ts';
import { MAGIC, MAX_KEY_BYTES, MAX_VALUE_BYTES, sha256, TRAILER_BYTES } from './format.ts';
import { packStatement, type StoredInfo } from './records.ts';
import { type Append, SectionWriter } from './section-writer.ts';

const STATEMENTS_PER_VALUE = 64 * 1024;
const PENDING_BYTES = 4 * 1024 * 1024;

/** Writes the file and gives its identity, `sha256:<hex>`, and its size in bytes. File system errors pass through. */
export async function writeAdvisoryFile(
  collector: AdvisoryCollector,
  path: string,
  info: Pick<StoredInfo, 'builtAt' | 'sources'>,
): Promise<{ readonly digest: string; readonly bytes: number; readonly info: StoredInfo }> {
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
): Promise<{ readonly digest: string; readonly bytes: number; readonly info: StoredInfo }> {
  const out = new BufferedOutput(file);
  out.append(MAGIC);
  const packages = new SectionWriter(out.append, MAGIC.length);
  const ecosystems = new Set<string>();
  let count = 0;
  for (const { key, bytes } of sorted(collector.keys())) {
    const values = packageValues(collector, key);
    if (values.length === 0) continue;
    count++;
    ecosystems.add(key.slice(0, key.indexOf('\0')));
    for (const value of values) packages.add(bytes, value);
    if (out.full) await out.flush();
  }
  const info: StoredInfo = {
    ...given,
    advisories: collector.advisories,
    packages: count,
    ecosystems: [...ecosystems],
  };
  const first = packages.finish();
  const ids = sorted(collector.ids());
  const facts = new SectionWriter(out.append, first.offset);
  for (const { key, bytes } of ids) {
    facts.add(bytes, Buffer.from(JSON.stringify(collector.facts(key))));
    if (out.full) await out.flush();
  }
  const second = facts.finish();
  const texts = new SectionWriter(out.append, second.offset);
  for (const { key, bytes } of ids) {
    texts.add(bytes, collector.text(key) ?? Buffer.from('{}'));
    if (out.full) await out.flush();
  }
  const third = texts.finish();
  const index = Buffer.concat([first.index, second.index, third.index]);
  const infoBytes = Buffer.from(JSON.stringify(info));
  const trailer = trailerOf(third.offset, index, infoBytes);
  for (const part of [index, infoBytes, trailer]) out.append(part);
  await out.flush();
  const bytes = third.offset + index.length + infoBytes.length + TRAILER_BYTES;
  return { digest: `sha256:${trailer.toString('hex', 16, 48)}`, bytes, info };
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
    if (length + packed.length > STATEMENTS_PER_VALUE) close();
    pending.push(packed);
    length += packed.length;
  }
  close();
  return values;
}

function sorted(keys: Iterable<string>): readonly { readonly key: string; readonly bytes: Buffer }[] {
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
