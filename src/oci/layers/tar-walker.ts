// Walks a tar archive as it streams by, without copying content (pax(1) ustar, PAX and GNU formats, v7).
import type { EntryInterest, LayerProblemCode, LayerVisitor } from '../types.ts';
import { BytesSink, type ContentSink, sinkFor } from './content-sink.ts';
import { entryFrom } from './entry.ts';
import type { LayerLimits } from './limits.ts';
import { type PaxRecords, parsePaxRecords } from './pax.ts';
import type { ProblemList } from './problem-list.ts';
import { BLOCK, isZeroBlock, parseTarHeader, type TarHeader } from './tar-header.ts';

const FLAG = {
  hardlink: 0x31, // '1'
  symlink: 0x32,
  characterDevice: 0x33,
  blockDevice: 0x34,
  directory: 0x35,
  fifo: 0x36,
  globalHeader: 0x67, // 'g'
  extendedHeader: 0x78, // 'x'
  solarisHeader: 0x58, // 'X'
  longName: 0x4c, // 'L'
  longLink: 0x4b, // 'K'
} as const;

/** Types that never have content, whatever their size field says (Go's archive/tar, which the runtimes unpack with). */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([
  FLAG.hardlink,
  FLAG.symlink,
  FLAG.characterDevice,
  FLAG.blockDevice,
  FLAG.directory,
  FLAG.fifo,
]);

type State = 'header' | 'content' | 'skip' | 'sparse-map' | 'done';

/**
 * Give it all bytes with `write`, then `end`. Entries reach the visitor while they stream by. Reading stops at the
 * end marker or at the first damage, as in the runtimes; later bytes are ignored.
 */
export class TarWalker {
  readonly #visitor: LayerVisitor;
  readonly #limits: LayerLimits;
  readonly #problems: ProblemList;
  readonly #carry = Buffer.alloc(BLOCK);
  #carried = 0;
  #state: State = 'header';
  #sink: ContentSink | null = null;
  /** Bytes of content or of what is skipped still to come, and the padding after content. */
  #remaining = 0;
  #padding = 0;
  #zeroBlocks = 0;
  #blocks = 0;
  #records: PaxRecords | null = null;
  #longName: string | null = null;
  #longLink: string | null = null;
  #current: string | null = null;
  #entries = 0;
  #complete = false;

  constructor(visitor: LayerVisitor, limits: LayerLimits, problems: ProblemList) {
    this.#visitor = visitor;
    this.#limits = limits;
    this.#problems = problems;
  }

  get entries(): number {
    return this.#entries;
  }

  /** After `end`: was the archive read to its end without damage? */
  get complete(): boolean {
    return this.#complete;
  }

  write(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      switch (this.#state) {
        case 'header':
        case 'sparse-map':
          offset = this.#takeBlock(chunk, offset);
          break;
        case 'content':
          offset = this.#takeContent(chunk, offset);
          break;
        case 'skip':
          offset = this.#takeSkipped(chunk, offset);
          break;
        case 'done':
          return;
      }
    }
  }

  /** The input is over. An archive may end without end marker and padding (umoci leaves both out), not before. */
  end(): void {
    if (this.#state === 'done') return;
    const betweenEntries =
      (this.#state === 'header' && this.#carried === 0) ||
      (this.#state === 'skip' && this.#remaining <= this.#padding);
    if (betweenEntries && !this.#hasPendingHeaders()) this.#complete = true;
    else this.#problems.add('OCI_LAYER_TRUNCATED', 'the archive ends within an entry', this.#current);
    this.#state = 'done';
  }

  #takeBlock(chunk: Buffer, offset: number): number {
    if (this.#carried === 0 && chunk.length - offset >= BLOCK) {
      this.#readBlock(chunk, offset);
      return offset + BLOCK;
    }
    const end = Math.min(chunk.length, offset + BLOCK - this.#carried);
    this.#carried += chunk.copy(this.#carry, this.#carried, offset, end);
    if (this.#carried === BLOCK) {
      this.#carried = 0;
      this.#readBlock(this.#carry, 0);
    }
    return end;
  }

  #takeContent(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#remaining);
    this.#sink?.take(chunk, offset, end);
    this.#remaining -= end - offset;
    if (this.#remaining === 0) this.#finishContent();
    return end;
  }

  #takeSkipped(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#remaining);
    this.#remaining -= end - offset;
    if (this.#remaining === 0) this.#nextHeader();
    return end;
  }

  #readBlock(block: Buffer, start: number): void {
    this.#blocks++;
    if (this.#state === 'sparse-map') {
      // Old GNU sparse: blocks of 21 map entries follow the header; the last byte used says whether one more does.
      if (block[start + 504] === 0) this.#skip(this.#remaining);
      return;
    }
    if (block[start] === 0 && isZeroBlock(block, start)) {
      if (++this.#zeroBlocks === 2) this.#finishArchive();
      return;
    }
    const header = this.#zeroBlocks === 0 ? parseTarHeader(block, start) : null;
    if (header !== null) return this.#readHeader(header);
    if (this.#blocks === 1) return this.#stop('OCI_LAYER_NOT_TAR', 'the content is not a tar archive');
    this.#stop('OCI_LAYER_HEADER_DAMAGED', `the tar header after entry ${this.#entries} is damaged`);
  }

  #readHeader(header: TarHeader): void {
    switch (header.typeFlag) {
      case FLAG.extendedHeader:
      case FLAG.solarisHeader:
        return this.#gather(header, (bytes) => this.#applyRecords(bytes, false));
      case FLAG.globalHeader:
        return this.#gather(header, (bytes) => this.#applyRecords(bytes, true));
      case FLAG.longName:
        return this.#gather(header, (bytes) => void (this.#longName = untilNul(bytes)));
      case FLAG.longLink:
        return this.#gather(header, (bytes) => void (this.#longLink = untilNul(bytes)));
      default:
        return this.#readEntry(header);
    }
  }

  /** Reads a header's own content (PAX records, a long name) into memory, within the limit. */
  #gather(header: TarHeader, use: (bytes: Buffer) => void): void {
    this.#current = header.name;
    if (header.size > this.#limits.maxHeaderBytes) {
      const message = `an extended header has ${header.size} bytes, more than ${this.#limits.maxHeaderBytes}`;
      return this.#stop('OCI_LAYER_HEADER_TOO_LARGE', message, header.name);
    }
    this.#content(header.size, new BytesSink(header.size, use));
  }

  #applyRecords(bytes: Buffer, global: boolean): void {
    const records = parsePaxRecords(bytes);
    if (records === null) {
      this.#stop('OCI_LAYER_HEADER_DAMAGED', `the PAX header after entry ${this.#entries} is damaged`);
    } else if (!global) {
      this.#records = records;
    } else if (records.path !== undefined || records.linkpath !== undefined || records.size !== undefined) {
      // Container runtimes ignore global headers, tar(1) obeys them: the archive has two readings.
      this.#problems.addOnce(
        'OCI_LAYER_GLOBAL_HEADER',
        'a global PAX header sets names or sizes, which container runtimes ignore; it is ignored here too',
      );
    }
  }

  #readEntry(header: TarHeader): void {
    if (++this.#entries > this.#limits.maxEntries) {
      this.#entries--;
      return this.#stop('OCI_LAYER_TOO_MANY_ENTRIES', `more than ${this.#limits.maxEntries} entries`);
    }
    const records = this.#records ?? {};
    const name = this.#longName ?? records.sparse?.name ?? (records.path || header.name);
    const linkName = this.#longLink ?? (records.linkpath || header.linkName);
    this.#records = this.#longName = this.#longLink = null;
    this.#current = name;

    const isDirectory = header.typeFlag === 0 && name.endsWith('/');
    const typeFlag = isDirectory ? FLAG.directory : header.typeFlag;
    const stored = WITHOUT_CONTENT.has(typeFlag) ? 0 : (records.size ?? header.size);
    const isSparse = header.sparse !== null || records.sparse !== undefined;
    const size = isSparse ? (header.sparse?.realSize ?? records.sparse?.realSize ?? stored) : stored;
    const entry = entryFrom(
      { name, linkName, typeFlag, size, mode: header.mode },
      this.#limits,
      this.#problems,
    );
    const interest = entry === null ? null : this.#visitor.entry(entry);

    if (isSparse) return this.#passSparse(header, stored, interest);
    const sink = entry?.type === 'file' && interest !== null ? sinkFor(interest, stored) : null;
    this.#content(stored, sink);
  }

  /** Sparse files are stored as pieces with a map. They are rare and skipped, and it is said when one was wanted. */
  #passSparse(header: TarHeader, stored: number, interest: EntryInterest | null): void {
    if (interest !== null && interest.want !== 'nothing') {
      this.#problems.add('OCI_LAYER_SPARSE', 'the content of a sparse file was not read', this.#current);
    }
    this.#padding = padding(stored);
    this.#remaining = stored + this.#padding;
    if (header.sparse?.extended) this.#state = 'sparse-map';
    else this.#skip(this.#remaining);
  }

  #content(size: number, sink: ContentSink | null): void {
    this.#padding = padding(size);
    if (sink === null) return this.#skip(size + this.#padding);
    this.#sink = sink;
    this.#remaining = size;
    this.#state = 'content';
    if (size === 0) this.#finishContent();
  }

  #finishContent(): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#skip(this.#padding);
    sink?.finish();
  }

  #skip(size: number): void {
    this.#remaining = size;
    if (size === 0) this.#nextHeader();
    else this.#state = 'skip';
  }

  #nextHeader(): void {
    this.#state = 'header';
    if (!this.#hasPendingHeaders()) this.#current = null;
  }

  #hasPendingHeaders(): boolean {
    return this.#records !== null || this.#longName !== null || this.#longLink !== null;
  }

  #finishArchive(): void {
    this.#state = 'done';
    this.#complete = !this.#hasPendingHeaders();
    if (!this.#complete)
      this.#problems.add('OCI_LAYER_TRUNCATED', 'the archive ends after an extended header');
  }

  #stop(code: LayerProblemCode, message: string, path: string | null = null): void {
    this.#problems.add(code, message, path);
    this.#state = 'done';
  }
}

/** Zeros that fill the last block of content. */
function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
