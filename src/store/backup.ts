// Writes a logical backup of the whole store to one file, while the server works.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock, Logger, Randomness } from '../core/index.ts';
import { OBJECT_HEAD_BYTES, OBJECT_ID_BYTES, type BackupRow, type BackupTable } from './backup-format.ts';
import { takeHold, type BackupHold } from './backup-hold.ts';
import { readRows } from './backup-reader.ts';
import { OBJECT_COLUMN, readPages, readTables, type Table } from './backup-tables.ts';
import { BackupFileWriter } from './backup-writer.ts';
import type { BlobDriver, Database, Store } from './types.ts';

/** zstd levels: rows compress well; layers are compressed already. */
const ROWS_LEVEL = 3;
const OBJECTS_LEVEL = 1;

/** Ids of missing objects named in a report; the rest is counted. */
const MOST_NAMED = 1_000;

export interface BackupOptions {
  /** The file to write; must not exist. */
  readonly out: string;
  /** With the bytes of all stored objects; without, the file holds metadata only. */
  readonly includeBlobs: boolean;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

export interface BackupReport {
  readonly path: string;
  readonly contents: 'metadata' | 'metadata and blobs';
  /** Size of the file, in bytes. */
  readonly size: number;
  readonly tables: Readonly<Record<string, number>>;
  /** Objects in the file, and their bytes before compression. */
  readonly objects: number;
  readonly objectBytes: number;
  /** Objects that rows name and the blob directory does not have; at most a thousand are named. */
  readonly missingObjects: { readonly count: number; readonly ids: readonly string[] };
}

/**
 * Holds every table of ours but those of the moment (see `backup-tables.ts`), and on request the stored objects.
 * Not held: background jobs, uploads under way, and key files of the data directory.
 *
 * Everything committed before the call and not deleted during it is in the file. With a PostgreSQL server all tables
 * come from one snapshot. The embedded database has one session, which must not be kept: there each table is read in
 * pages, rows that refer before rows referred to, and objects last, so that nothing refers to what is not there;
 * rows that do because of a deletion meanwhile are left out by the restore. A hold keeps garbage collection from
 * removing objects meanwhile (`objectRemovalAllowed`).
 *
 * Constant memory. Rejects with STORE_BACKUP_EXISTS, STORE_BACKUP_WRITE or STORE_BACKUP_NO_KEY and leaves no file.
 */
export async function backupStore(
  store: Pick<Store, 'kind' | 'db' | 'blobs' | 'journal'>,
  options: BackupOptions,
): Promise<BackupReport> {
  await store.journal.drain();
  const contents = options.includeBlobs ? 'metadata and blobs' : 'metadata';
  const suffix = options.randomness.bytes(4).toString('hex');
  const writer = await BackupFileWriter.create(options.out, suffix, {
    createdAt: new Date(options.clock.now()).toISOString(),
    contents,
    migrations: await appliedMigrations(store.db),
  });
  try {
    const hold = await takeHold(store.db, options.randomness, options.logger);
    try {
      const tables = await writeTables(store, writer);
      const objects = options.includeBlobs
        ? await writeObjects(store.blobs, writer, tables, hold)
        : undefined;
      const size = await writer.finish({ tables, objects: objects?.section ?? null });
      return {
        path: options.out,
        contents,
        size,
        tables: Object.fromEntries(tables.map((table) => [table.name, table.rows])),
        objects: objects?.section.count ?? 0,
        objectBytes: objects?.section.bytes ?? 0,
        missingObjects: objects?.missing ?? { count: 0, ids: [] },
      };
    } finally {
      await hold.release();
    }
  } catch (error) {
    return await writer.discard(error);
  }
}

/** Names of the migrations applied, in order. */
export async function appliedMigrations(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from schema_migration order by name`.execute(db);
  return rows.map((row) => row.name);
}

async function writeTables(
  store: Pick<Store, 'kind' | 'db'>,
  writer: BackupFileWriter,
): Promise<BackupTable[]> {
  const write = async (db: Database): Promise<BackupTable[]> => {
    const written: BackupTable[] = [];
    // Rows that refer come before those they refer to: see `backupStore`.
    for (const table of (await readTables(db)).toReversed())
      written.push(await writeTable(db, table, writer));
    return written.toReversed();
  };
  if (store.kind === 'embedded') return write(store.db);
  return store.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((snapshot) => write(snapshot));
}

async function writeTable(db: Database, table: Table, writer: BackupFileWriter): Promise<BackupTable> {
  let rows = 0;
  async function* lines(): AsyncGenerator<Buffer> {
    for await (const page of readPages(db, table)) {
      rows += page.length;
      yield Buffer.from(page.map((row) => `${JSON.stringify(row)}\n`).join(''), 'utf8');
    }
  }
  const section = await writer.section(lines(), ROWS_LEVEL);
  return { name: table.name, columns: [...table.columns], rows, ...section };
}

interface WrittenObjects {
  readonly section: { offset: number; length: number; count: number; bytes: number; missing: number };
  readonly missing: { readonly count: number; readonly ids: readonly string[] };
}

/** The objects that the rows just written name: read back from the file, so exactly those. */
async function writeObjects(
  blobs: BlobDriver,
  writer: BackupFileWriter,
  tables: readonly BackupTable[],
  hold: BackupHold,
): Promise<WrittenObjects> {
  let count = 0;
  let bytes = 0;
  let missing = 0;
  const ids: string[] = [];
  async function* frames(): AsyncGenerator<Buffer> {
    for await (const id of objectIds(writer, tables)) {
      hold.check();
      const size = await blobs.size(id);
      if (size === undefined) {
        missing += 1;
        if (ids.length < MOST_NAMED) ids.push(id);
        continue;
      }
      yield* objectFrame(blobs, id, size);
      count += 1;
      bytes += size;
    }
  }
  const section = await writer.section(frames(), OBJECTS_LEVEL);
  return { section: { ...section, count, bytes, missing }, missing: { count: missing, ids } };
}

async function* objectIds(writer: BackupFileWriter, tables: readonly BackupTable[]): AsyncGenerator<string> {
  for (const table of tables) {
    const at = table.columns.findIndex((column) => column.name === OBJECT_COLUMN);
    if (at === -1) continue;
    for await (const row of readRows(writer.handle, 'the unfinished backup', table)) {
      const id: BackupRow[number] | undefined = row[at];
      if (id !== null && id !== undefined) yield id;
    }
  }
}

async function* objectFrame(blobs: BlobDriver, id: string, size: number): AsyncGenerator<Buffer> {
  const head = Buffer.alloc(OBJECT_HEAD_BYTES);
  head.write(id, 0, OBJECT_ID_BYTES, 'latin1');
  head.writeBigUInt64BE(BigInt(size), OBJECT_ID_BYTES);
  yield head;
  const hash = createHash('sha256');
  for await (const chunk of await blobs.read(id, { start: 0, end: size - 1 })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the blob driver read something other than bytes');
    hash.update(chunk);
    yield chunk;
  }
  yield hash.digest();
}
