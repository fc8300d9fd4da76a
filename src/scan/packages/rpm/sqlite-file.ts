// SQLite database files (sqlite.org/fileformat2.html), read only: the rows of one table by its name.
import { PageBudget } from './page-budget.ts';

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const FILE_HEADER = 100;
const INTERIOR_TABLE = 0x05;
const LEAF_TABLE = 0x0d;
/** Columns kept of a row; the tables that are read have five at most. */
const MAX_COLUMNS = 16;

/** Does the file begin with SQLite's header? */
export function isSqlite(file: Buffer): boolean {
  return file.length >= FILE_HEADER && file.subarray(0, MAGIC.length).equals(MAGIC);
}

/** One value of a row. Integers beyond 2^53 lose precision, floating point numbers are left out. */
export type SqliteValue = number | string | Buffer | null;

/** Damage is told once for each part that could not be read, and the rest is read on. */
export class SqliteFile {
  readonly #file: Buffer;
  readonly #pageSize: number;
  /** Bytes of a page that hold content. */
  readonly #usable: number;
  readonly #damage: (reason: string) => void;
  readonly #budget: PageBudget;

  /** Only for files of which `isSqlite` is true. */
  constructor(file: Buffer, damage: (reason: string) => void) {
    const size = file.readUInt16BE(16);
    this.#file = file;
    this.#pageSize = size === 1 ? 65_536 : Math.max(size, 512);
    this.#usable = this.#pageSize - (file[20] ?? 0);
    this.#damage = damage;
    this.#budget = new PageBudget(Math.floor(file.length / this.#pageSize) + 1, 2 * file.length);
  }

  /** First page of a table; undefined when the schema has none of that name. */
  tableRoot(name: string): number | undefined {
    for (const [type, table, , root] of this.rows(1)) {
      if (type === 'table' && table === name && typeof root === 'number') return root;
    }
    return undefined;
  }

  /** The rows of the table that begins at this page, in no particular order. Each page is read once. */
  *rows(root: number): Generator<readonly SqliteValue[]> {
    const pending = [root];
    for (let page = pending.pop(); page !== undefined; page = pending.pop()) {
      const start = (page - 1) * this.#pageSize;
      if (page < 1 || start + this.#pageSize > this.#file.length || !this.#budget.use(page)) {
        this.#damage(`page ${page}`);
        continue;
      }
      const header = start + (page === 1 ? FILE_HEADER : 0);
      const type = this.#file[header];
      if (type === INTERIOR_TABLE) pending.push(...this.#children(start, header));
      else if (type === LEAF_TABLE) yield* this.#leaf(start, header);
      else this.#damage(`type ${type} of page ${page}`);
    }
  }

  #children(start: number, header: number): readonly number[] {
    const pages = this.#cells(start, header, 12).map((cell) =>
      cell + 4 <= start + this.#pageSize ? this.#file.readUInt32BE(cell) : 0,
    );
    return [...pages, this.#file.readUInt32BE(header + 8)];
  }

  *#leaf(start: number, header: number): Generator<readonly SqliteValue[]> {
    for (const cell of this.#cells(start, header, 8)) {
      const payload = this.#payload(cell, start + this.#usable);
      const row = payload === undefined ? undefined : readRecord(payload);
      if (row === undefined) this.#damage(`row at byte ${cell}`);
      else yield row;
    }
  }

  /** Positions of a page's cells in the file. */
  #cells(start: number, header: number, headerBytes: number): readonly number[] {
    const count = this.#file.readUInt16BE(header + 3);
    const pointers = header + headerBytes;
    if (pointers + count * 2 > start + this.#pageSize) {
      this.#damage(`${count} cells of a page at byte ${start}`);
      return [];
    }
    return Array.from({ length: count }, (_, cell) => start + this.#file.readUInt16BE(pointers + cell * 2));
  }

  /** A leaf cell: length, row number, content; what does not fit the page continues on a chain of others. */
  #payload(cell: number, end: number): Buffer | undefined {
    const length = readVarint(this.#file, cell);
    const row = length && readVarint(this.#file, length.end);
    if (!row || !length || !this.#budget.take(length.value)) return undefined;
    const local = this.#localBytes(length.value);
    const overflow = row.end + local;
    if (overflow + (local < length.value ? 4 : 0) > end) return undefined;
    const first = this.#file.subarray(row.end, overflow);
    if (local === length.value) return first;
    return this.#chain(first, length.value, this.#file.readUInt32BE(overflow));
  }

  #localBytes(length: number): number {
    const most = this.#usable - 35;
    if (length <= most) return length;
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23;
    const wanted = least + ((length - least) % (this.#usable - 4));
    return wanted <= most ? wanted : least;
  }

  #chain(first: Buffer, length: number, firstPage: number): Buffer | undefined {
    const pieces = [first];
    let rest = length - first.length;
    for (let page = firstPage; rest > 0; ) {
      const start = (page - 1) * this.#pageSize;
      if (page < 1 || start + this.#pageSize > this.#file.length || !this.#budget.use(page)) return undefined;
      const bytes = Math.min(rest, this.#usable - 4);
      pieces.push(this.#file.subarray(start + 4, start + 4 + bytes));
      rest -= bytes;
      page = this.#file.readUInt32BE(start);
    }
    return Buffer.concat(pieces, length);
  }
}

/** A record: length of its header, one type a column, then the columns' bytes. */
function readRecord(payload: Buffer): readonly SqliteValue[] | undefined {
  const header = readVarint(payload, 0);
  if (header === undefined || header.value > payload.length) return undefined;
  const values: SqliteValue[] = [];
  let body = header.value;
  for (let at = header.end; at < header.value && values.length < MAX_COLUMNS; ) {
    const type = readVarint(payload, at);
    if (type === undefined) return undefined;
    const bytes = bytesOfType(type.value);
    if (body + bytes > payload.length) return undefined;
    values.push(readValue(payload.subarray(body, body + bytes), type.value));
    body += bytes;
    at = type.end;
  }
  return values;
}

const FIXED_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0] as const;

function bytesOfType(type: number): number {
  return FIXED_BYTES[type] ?? Math.floor((type - 12) / 2);
}

function readValue(bytes: Buffer, type: number): SqliteValue {
  if (type >= 12) return type % 2 === 0 ? bytes : bytes.toString('utf8');
  if (type === 8 || type === 9) return type - 8;
  if (type >= 1 && type <= 5) return bytes.readIntBE(0, bytes.length);
  return type === 6 ? Number(bytes.readBigInt64BE(0)) : null;
}

/** A number of one to nine bytes, seven bits each; none that Breakwater needs passes 2^53. */
function readVarint(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    if (index === 8) return { value: value * 256 + byte, end: start + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return undefined;
}
