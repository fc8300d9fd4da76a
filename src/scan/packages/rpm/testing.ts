// For tests: writes RPM headers and the three database forms that hold them, and catalogues a file.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CatalogSink } from '../../cataloger.ts';
import type { CatalogedPackage } from '../../types.ts';
import { rpm } from './rpm.ts';

export interface TestHeader {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: number;
  readonly architecture?: string;
  readonly sourceRpm?: string;
  readonly license?: string;
  readonly moduleLabel?: string;
  readonly files?: readonly string[];
}

type TestTag = readonly [tag: number, value: string | number | readonly string[] | readonly number[]];

/** A header blob: index entries of 16 bytes, then the data, as rpm's format says. */
export function rpmHeaderBlob(header: TestHeader): Buffer {
  const files = (header.files ?? []).map((path) => path.lastIndexOf('/') + 1 || 0);
  const folders = (header.files ?? []).map((path, index) => path.slice(0, files[index]));
  const names = [...new Set(folders)];
  const tags: readonly TestTag[] = [
    [1000, header.name],
    [1001, header.version],
    [1002, header.release],
    ...(header.epoch === undefined ? [] : [[1003, [header.epoch]] as const]),
    ...(header.license === undefined ? [] : [[1014, header.license] as const]),
    [1022, header.architecture ?? 'x86_64'],
    ...(header.sourceRpm === undefined ? [] : [[1044, header.sourceRpm] as const]),
    [1116, folders.map((folder) => names.indexOf(folder))],
    [1117, (header.files ?? []).map((path, index) => path.slice(files[index]))],
    [1118, names],
    ...(header.moduleLabel === undefined ? [] : [[5096, header.moduleLabel] as const]),
  ];
  return encodeTags(tags);
}

function encodeTags(tags: readonly TestTag[]): Buffer {
  const index = Buffer.alloc(8 + tags.length * 16);
  const data: Buffer[] = [];
  let offset = 0;
  tags.forEach(([tag, value], entry) => {
    const list = Array.isArray(value) ? value : [value];
    const numbers = list.filter((item) => typeof item === 'number');
    const isNumber = numbers.length === list.length && list.length > 0;
    const padding = isNumber ? (4 - (offset % 4)) % 4 : 0;
    const bytes = isNumber
      ? Buffer.concat(numbers.map((item) => u32(item)))
      : Buffer.from(list.map((item) => `${item}\0`).join(''));
    const type = isNumber ? 4 : Array.isArray(value) ? 8 : 6;
    [tag, type, offset + padding, list.length].forEach((field, column) =>
      index.writeUInt32BE(field, 8 + entry * 16 + column * 4),
    );
    data.push(Buffer.alloc(padding), bytes);
    offset += padding + bytes.length;
  });
  index.writeUInt32BE(tags.length, 0);
  index.writeUInt32BE(offset, 4);
  return Buffer.concat([index, ...data]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An NDB package file with one page of slots, of which the last is free. */
export function ndbDatabase(blobs: readonly Buffer[]): Buffer {
  const slots = Buffer.alloc(4096);
  slots.write('RpmP', 0, 'latin1');
  slots.writeUInt32LE(1, 12);
  const parts: Buffer[] = [slots];
  let block = 4096 / 16;
  for (let slot = 32, number = 1; slot < 4096; slot += 16, number++) {
    slots.write('Slot', slot, 'latin1');
    const blob = blobs[number - 1];
    if (blob === undefined) continue;
    const blocks = Math.ceil((blob.length + 28) / 16);
    [number, block, blocks].forEach((field, column) => slots.writeUInt32LE(field, slot + 4 + column * 4));
    const room = Buffer.alloc(blocks * 16);
    room.write('BlbS', 0, 'latin1');
    [number, 1, blob.length].forEach((field, column) => room.writeUInt32LE(field, 4 + column * 4));
    blob.copy(room, 16);
    room.write('BlbE', room.length - 4, 'latin1');
    parts.push(room);
    block += blocks;
  }
  return Buffer.concat(parts);
}

const HASH_PAGE = 512;

/** A Berkeley DB hash file: meta page, one hash page for each value, then its overflow pages. */
export function hashDatabase(blobs: readonly Buffer[], bigEndian = false): Buffer {
  const write = (page: Buffer, value: number, offset: number): void => {
    if (bigEndian) page.writeUInt32BE(value, offset);
    else page.writeUInt32LE(value, offset);
  };
  const write16 = (page: Buffer, value: number, offset: number): void => {
    if (bigEndian) page.writeUInt16BE(value, offset);
    else page.writeUInt16LE(value, offset);
  };
  const pages: Buffer[] = [Buffer.alloc(HASH_PAGE)];
  blobs.forEach((blob, number) => {
    const page = Buffer.alloc(HASH_PAGE);
    page[25] = 13;
    write16(page, 2, 20);
    const key = HASH_PAGE - 5;
    write16(page, key, 26);
    write16(page, key - 12, 28);
    page[key] = 1;
    write(page, number + 1, key + 1);
    page[key - 12] = 3;
    write(page, pages.length + 1, key - 8);
    write(page, blob.length, key - 4);
    pages.push(page);
    for (let start = 0; start < blob.length; start += HASH_PAGE - 26) {
      const piece = blob.subarray(start, start + HASH_PAGE - 26);
      const overflow = Buffer.alloc(HASH_PAGE);
      overflow[25] = 7;
      write(overflow, start + piece.length < blob.length ? pages.length + 1 : 0, 16);
      write16(overflow, piece.length, 22);
      piece.copy(overflow, 26);
      pages.push(overflow);
    }
  });
  const meta = pages[0] ?? Buffer.alloc(0);
  write(meta, 0x061561, 12);
  write(meta, HASH_PAGE, 20);
  meta[25] = 8;
  write(meta, pages.length - 1, 32);
  return Buffer.concat(pages);
}

/** A database written by SQLite itself, with rpm's table. */
export function sqliteDatabase(blobs: readonly Buffer[], pageSize = 4096): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-rpmdb-'));
  try {
    const file = join(folder, 'rpmdb.sqlite');
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA page_size = ${pageSize};
      CREATE TABLE IF NOT EXISTS 'Basenames' (key TEXT NOT NULL, hnum INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);`);
    const insert = database.prepare('INSERT INTO Packages (blob) VALUES (?)');
    for (const blob of blobs) insert.run(blob);
    database.close();
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Catalogued {
  readonly packages: readonly Omit<CatalogedPackage, 'path'>[];
  readonly owned: readonly (readonly [owner: string, path: string])[];
  readonly problems: readonly string[];
}

/** What the cataloger makes of one file. */
export function catalogueRpm(path: string, bytes: Buffer): Catalogued {
  const packages: Omit<CatalogedPackage, 'path'>[] = [];
  const owned: [string, string][] = [];
  const problems: string[] = [];
  const sink: CatalogSink = {
    path,
    package: (item) => packages.push(item),
    owns: (owner, file) => owned.push([owner, file]),
    distribution: () => undefined,
    problem: (reason) => problems.push(reason),
  };
  const reading = rpm.reading({
    path,
    type: 'file',
    target: null,
    linkName: null,
    size: bytes.length,
    mode: 0o644,
  });
  if (reading?.how === 'whole') reading.read(bytes, sink);
  else if (bytes.length > 0) reading?.open(sink).chunk(bytes);
  return { packages, owned, problems };
}
