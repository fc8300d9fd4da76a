// Rust executables built with cargo-auditable: the crates in their ELF section `.dep-v0`, JSON compressed by zlib.
import { inflateSync } from 'node:zlib';
import { KiB, MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink, ContentReader } from '../cataloger.ts';
import { readElfHeader, readElfSections, type ElfHeader } from './elf-header.ts';
import { mayBeExecutable } from './executable-path.ts';
import { objectsOf, readJsonObject } from './json-object.ts';
import { KeptRanges, type ByteRange } from './kept-ranges.ts';
import { PackageRows } from './lock-file.ts';

/** Executables with the standard library of Rust have several hundred KiB. */
const MIN_BYTES = 64 * KiB;
/** The program headers follow the ELF header. */
const HEAD_BYTES = 4 * KiB;
/** What is kept at most: of the read-only segments, of what follows the segments, and of the end. */
const MAX_SEGMENTS_BYTES = 16 * MiB;
const MAX_AFTER_BYTES = 4 * MiB;
const MAX_END_BYTES = 4 * MiB;
const MAX_SECTION_BYTES = 8 * MiB;
const MAX_AUDIT_BYTES = 16 * MiB;
const SECTION_NAME = Buffer.from('.dep-v0\0');

export const rustBinary: Cataloger = {
  name: 'rust-binary',
  version: 1,
  broad: true,
  matches: mayBeExecutable,
  reading(entry) {
    if (entry.size < MIN_BYTES) return undefined;
    return { how: 'stream', open: (sink) => new AuditDataSearch(entry.size, sink) };
  },
};

/** Keeps the parts of an ELF file that may hold the section, and looks into the section headers when they have come by. */
class AuditDataSearch implements ContentReader {
  readonly #size: number;
  readonly #sink: CatalogSink;
  #head: Buffer | undefined = Buffer.alloc(0);
  #file: { readonly header: ElfHeader; readonly kept: KeptRanges } | undefined;

  constructor(size: number, sink: CatalogSink) {
    this.#size = size;
    this.#sink = sink;
  }

  chunk(bytes: Buffer): boolean {
    if (this.#head === undefined) return this.#file?.kept.take(bytes) ?? false;
    const head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    if (head.length < HEAD_BYTES) {
      if (head.length >= 4 && head.readUInt32BE(0) !== 0x7f454c46) return this.#giveUp();
      this.#head = Buffer.from(head);
      return true;
    }
    const header = readElfHeader(head.subarray(0, HEAD_BYTES));
    if (header === undefined) return this.#giveUp();
    this.#head = undefined;
    const kept = new KeptRanges(rangesOf(header, this.#size));
    this.#file = { header, kept };
    return kept.take(head);
  }

  end(): void {
    if (this.#file === undefined) return;
    const { header, kept } = this.#file;
    this.#file = undefined;
    const { offset, size, count } = header.sections;
    const table = kept.slice(offset, size * count);
    if (table === undefined) return;
    const sections = readElfSections(header, table);
    const names = sections[header.names];
    const text = names === undefined ? undefined : kept.slice(names.offset, names.size);
    if (text === undefined) return;
    const found = sections.find(({ name }) =>
      text.subarray(name, name + SECTION_NAME.length).equals(SECTION_NAME),
    );
    if (found === undefined) return;
    const data = found.size > MAX_SECTION_BYTES ? undefined : kept.slice(found.offset, found.size);
    if (data === undefined)
      this.#sink.problem('the audit data of cargo-auditable is too far from where it is read');
    else readAuditData(data, this.#sink);
  }

  #giveUp(): false {
    this.#head = undefined;
    return false;
  }
}

/**
 * Read-only data, where linkers put the section; what follows the segments, where `objcopy` does; and the end, where
 * the section headers and names are. Older linkers have one segment for code and read-only data.
 */
function rangesOf(header: ElfHeader, size: number): readonly ByteRange[] {
  const ranges: ByteRange[] = [];
  const fixed = header.segments.filter((segment) => !segment.writable);
  const readOnly = fixed.filter((segment) => !segment.executable);
  let budget = MAX_SEGMENTS_BYTES;
  for (const segment of readOnly.length > 0 ? readOnly : fixed) {
    const length = Math.min(segment.size, budget, Math.max(0, size - segment.offset));
    ranges.push({ start: segment.offset, end: segment.offset + length });
    budget -= length;
  }
  const after = Math.min(size, Math.max(0, ...header.segments.map((one) => one.offset + one.size)));
  ranges.push({ start: after, end: Math.min(size, after + MAX_AFTER_BYTES) });
  ranges.push({ start: Math.max(after, size - MAX_END_BYTES), end: size });
  return ranges;
}

/** `{"packages": [{"name", "version", "source", "kind"}]}`; crates of kind `build` ran when it was built, and are not in it. */
function readAuditData(data: Buffer, sink: CatalogSink): void {
  let text: Buffer;
  try {
    text = inflateSync(data, { maxOutputLength: MAX_AUDIT_BYTES });
  } catch {
    sink.problem('the audit data of cargo-auditable cannot be decompressed');
    return;
  }
  const content = readJsonObject(text, sink);
  if (content === undefined) return;
  const rows = new PackageRows('cargo', sink);
  for (const item of objectsOf(content['packages'])) {
    if (item['kind'] !== 'build') rows.add(item['name'], item['version']);
  }
  rows.finish();
}
