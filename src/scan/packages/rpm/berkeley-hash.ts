// Berkeley DB hash files (db_page.h of Berkeley DB 4 and 5), read only: rpm's `Packages` up to rpm 4.16.
import type { HeaderSink } from './database.ts';
import { PageBudget } from './page-budget.ts';

const HASH_MAGIC = 0x061561;
const META_BYTES = 512;
const PAGE_HEADER = 26;
const TYPE_AT = 25;
/** Page types: hash pages of version 8 and 9, and the pages of items that do not fit one. */
const HASH_UNSORTED = 2;
const OVERFLOW = 7;
const HASH = 13;
/** Item types. */
const KEY_DATA = 1;
const OFF_PAGE = 3;
/** Type byte, three unused bytes, page number, length. */
const OFF_PAGE_ITEM = 12;

/** Does the file begin with the meta page of a hash database, in either byte order? */
export function isHashDatabase(file: Buffer): boolean {
  return (
    file.length >= META_BYTES &&
    (file.readUInt32LE(12) === HASH_MAGIC || file.readUInt32BE(12) === HASH_MAGIC)
  );
}

/** Hands over the value of every item. Only call when `isHashDatabase`. */
export function readHashDatabase(file: Buffer, sink: HeaderSink): void {
  const littleEndian = file.readUInt32LE(12) === HASH_MAGIC;
  const pageSize = littleEndian ? file.readUInt32LE(20) : file.readUInt32BE(20);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    sink.damage(`page size ${pageSize}`);
    return;
  }
  if (file[24] !== 0) {
    sink.damage('the database is encrypted');
    return;
  }
  new HashFile(file, pageSize, littleEndian, sink).read();
}

class HashFile {
  readonly #file: Buffer;
  readonly #pageSize: number;
  readonly #littleEndian: boolean;
  readonly #sink: HeaderSink;
  readonly #pages: number;
  readonly #budget: PageBudget;

  constructor(file: Buffer, pageSize: number, littleEndian: boolean, sink: HeaderSink) {
    this.#file = file;
    this.#pageSize = pageSize;
    this.#littleEndian = littleEndian;
    this.#sink = sink;
    this.#pages = Math.floor(file.length / pageSize);
    this.#budget = new PageBudget(this.#pages, file.length);
  }

  read(): void {
    const last = this.#u32(32);
    if (last >= this.#pages) {
      this.#sink.damage(`${this.#pages} pages instead of ${last + 1}`);
    }
    for (let page = 1; page < this.#pages; page++) {
      const type = this.#file[page * this.#pageSize + TYPE_AT];
      if (type === HASH || type === HASH_UNSORTED) this.#hashPage(page);
    }
  }

  /** Offsets of the items follow the page's header: key, value, key, value. Items fill the page from its end. */
  #hashPage(page: number): void {
    const start = page * this.#pageSize;
    const entries = this.#u16(start + 20);
    if (PAGE_HEADER + entries * 2 > this.#pageSize) {
      this.#sink.damage(`page ${page} names ${entries} items`);
      return;
    }
    for (let item = 0; item + 1 < entries; item += 2) {
      const key = this.#item(start, item);
      const value = this.#item(start, item + 1);
      if (key === undefined || value === undefined) this.#sink.damage(`item ${item} of page ${page}`);
      else if (!isCounter(key)) this.#value(value, page);
    }
  }

  /** The bytes of one item: from its offset to that of the item before it, or to the page's end. */
  #item(start: number, index: number): Buffer | undefined {
    const from = this.#u16(start + PAGE_HEADER + index * 2);
    const to = index === 0 ? this.#pageSize : this.#u16(start + PAGE_HEADER + (index - 1) * 2);
    if (from < PAGE_HEADER || from >= to || to > this.#pageSize) return undefined;
    return this.#file.subarray(start + from, start + to);
  }

  #value(item: Buffer, page: number): void {
    const blob =
      item[0] === KEY_DATA ? item.subarray(1) : item[0] === OFF_PAGE ? this.#chain(item) : undefined;
    if (blob === undefined || !this.#budget.take(blob.length)) {
      this.#sink.damage(`a value of page ${page}`);
    } else this.#sink.header(blob);
  }

  /** A value that fills pages of its own, which form a chain. */
  #chain(item: Buffer): Buffer | undefined {
    if (item.length < OFF_PAGE_ITEM) return undefined;
    let page = this.#littleEndian ? item.readUInt32LE(4) : item.readUInt32BE(4);
    const length = this.#littleEndian ? item.readUInt32LE(8) : item.readUInt32BE(8);
    const pieces: Buffer[] = [];
    let rest = length;
    while (rest > 0) {
      const start = page * this.#pageSize;
      if (!this.#budget.use(page) || this.#file[start + TYPE_AT] !== OVERFLOW) return undefined;
      const bytes = this.#u16(start + 22);
      if (bytes === 0 || bytes > rest || PAGE_HEADER + bytes > this.#pageSize) return undefined;
      pieces.push(this.#file.subarray(start + PAGE_HEADER, start + PAGE_HEADER + bytes));
      rest -= bytes;
      page = this.#u32(start + 16);
    }
    return Buffer.concat(pieces, length);
  }

  #u16(offset: number): number {
    return this.#littleEndian ? this.#file.readUInt16LE(offset) : this.#file.readUInt16BE(offset);
  }

  #u32(offset: number): number {
    return this.#littleEndian ? this.#file.readUInt32LE(offset) : this.#file.readUInt32BE(offset);
  }
}

/** Key 0 holds the number of the next package, not a header. */
function isCounter(key: Buffer): boolean {
  return key.length === 5 && key.readUInt32LE(1) === 0;
}
