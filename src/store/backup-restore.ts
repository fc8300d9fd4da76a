// Restores a backup into an empty store.
import { sql, type RawBuilder } from 'kysely';
import { MAX_ROWS_PER_TRANSACTION } from '../core/index.ts';
import { appliedMigrations } from './backup.ts';
import type { BackupRow, BackupTable } from './backup-format.ts';
import { readObjects, type ObjectSink } from './backup-objects.ts';
import { openBackup, readRows, readSection, type BackupFile } from './backup-reader.ts';
import { OBJECT_COLUMN, readTables, SEEDED, type Table } from './backup-tables.ts';
import { storeErrors } from './errors.ts';
import type { BlobDriver, BlobWriter, Database, Store } from './types.ts';

/** Ids of missing objects named in a report; the rest is counted. */
const MOST_NAMED = 1_000;

/** Text of the rows of one insert, in characters. */
const BATCH_CHARACTERS = 8_000_000;

export interface RestoreReport {
  readonly path: string;
  readonly createdAt: string;
  readonly contents: 'metadata' | 'metadata and blobs';
  /** Rows restored, by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** Rows left out because what they refer to was deleted while the backup ran. */
  readonly leftOut: number;
  readonly objects: number;
  readonly objectBytes: number;
  /** Objects that rows name and that are not there (all of them after a restore of metadata alone, unless the blob store was kept); at most a thousand are named. */
  readonly missingObjects: { readonly count: number; readonly ids: readonly string[] };
}

/**
 * Restores the file at a path, or one opened already, which is then closed. The whole file is checked before anything
 * is changed; rows are written in batches of at most
 * {@link MAX_ROWS_PER_TRANSACTION}. While it runs, and after it broke off, `isRestoreUnfinished` is true: such a
 * store must not be served, but be removed and restored again.
 *
 * Rejects, with nothing changed, with STORE_BACKUP_READ, STORE_BACKUP_DAMAGED, STORE_BACKUP_NEWER_FORMAT,
 * STORE_BACKUP_NEWER_SCHEMA, STORE_BACKUP_TABLE_MISSING (a backup too old), STORE_RESTORE_NOT_EMPTY, STORE_BLOB_EXISTS (objects are there).
 */
export async function restoreStore(
  source: string | BackupFile,
  store: Pick<Store, 'db' | 'blobs'>,
): Promise<RestoreReport> {
  const file = typeof source === 'string' ? await openBackup(source) : source;
  const { path } = file;
  try {
    const tables = await readTables(store.db);
    const plan = await checkSchema(file, store.db, tables);
    await refuseNonEmpty(store.db, tables);
    if (file.index.objects !== null) await refuseObjects(store.blobs);
    await sql`insert into restore_unfinished (source) values (${path})`.execute(store.db);
    const objects = await restoreObjects(file, store.blobs);
    const restored: Record<string, number> = {};
    let leftOut = 0;
    for (const { table, section } of plan) {
      const inserted = await restoreTable(store.db, file, table, section);
      restored[table.name] = inserted;
      leftOut += section.rows - inserted;
      await resetSequences(store.db, table);
    }
    const missingObjects = await findMissing(file, store.blobs);
    await sql`delete from restore_unfinished`.execute(store.db);
    const { createdAt, contents } = file.header;
    return { path, createdAt, contents, tables: restored, leftOut, ...objects, missingObjects };
  } finally {
    await file.close();
  }
}

/** True while a restore runs and after one broke off. */
export async function isRestoreUnfinished(db: Database): Promise<boolean> {
  const { rows } = await sql`select 1 from restore_unfinished limit 1`.execute(db);
  return rows.length > 0;
}

interface PlannedTable {
  readonly table: Table;
  readonly section: BackupTable;
}

/** What to restore, referenced tables first. */
async function checkSchema(
  file: BackupFile,
  db: Database,
  tables: readonly Table[],
): Promise<readonly PlannedTable[]> {
  const known = new Set(await appliedMigrations(db));
  const newer = file.header.migrations.filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw storeErrors.create('STORE_BACKUP_NEWER_SCHEMA', { path: file.path, names: newer.join(', ') });
  }
  for (const section of file.index.tables) {
    const table = tables.find((candidate) => candidate.name === section.name);
    const gone = section.columns.find(
      (column) => table?.columns.some((own) => own.name === column.name) !== true,
    );
    if (table === undefined || gone !== undefined) {
      const what =
        table === undefined ? `table ${section.name}` : `column ${gone?.name ?? ''} of ${section.name}`;
      throw storeErrors.create('STORE_BACKUP_TABLE_MISSING', { path: file.path, what });
    }
  }
  return tables.flatMap((table) => {
    const section = file.index.tables.find((candidate) => candidate.name === table.name);
    return section === undefined ? [] : [{ table, section }];
  });
}

async function refuseNonEmpty(db: Database, tables: readonly Table[]): Promise<void> {
  if (await isRestoreUnfinished(db)) {
    throw storeErrors.create('STORE_RESTORE_NOT_EMPTY', { table: 'restore_unfinished' });
  }
  for (const { name } of tables) {
    if (SEEDED.includes(name)) continue;
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
    if (rows.length > 0) throw storeErrors.create('STORE_RESTORE_NOT_EMPTY', { table: name });
  }
}

async function refuseObjects(blobs: BlobDriver): Promise<void> {
  for await (const { id } of blobs.list()) throw storeErrors.create('STORE_BLOB_EXISTS', { id });
}

/** Inserts the rows of a table. Resolves to how many went in; the others refer to rows that are not there. */
async function restoreTable(
  db: Database,
  file: BackupFile,
  table: Table,
  section: BackupTable,
): Promise<number> {
  if (SEEDED.includes(table.name)) await sql`delete from ${sql.table(table.name)}`.execute(db);
  const refersToItself = table.references.some((key) => key.table === table.name);
  let total = 0;
  for (;;) {
    let inserted = 0;
    for await (const rows of batches(readRows(file.handle, file.path, section))) {
      inserted += await insertRows(db, table, section, rows);
    }
    total += inserted;
    // Rows of a tree go in from the root on, one level with each round.
    if (!refersToItself || inserted === 0 || total === section.rows) return total;
  }
}

async function* batches(rows: AsyncIterable<BackupRow>): AsyncGenerator<readonly BackupRow[]> {
  let batch: BackupRow[] = [];
  let characters = 0;
  for await (const row of rows) {
    batch.push(row);
    characters += row.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    if (batch.length < MAX_ROWS_PER_TRANSACTION && characters < BATCH_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

async function insertRows(
  db: Database,
  table: Table,
  section: BackupTable,
  rows: readonly BackupRow[],
): Promise<number> {
  const names = section.columns.map((column) => column.name);
  const columns = sql.join(names.map((name) => sql.ref(name)));
  const arrays = sql.join(names.map((_name, index) => sql`${rows.map((row) => row[index] ?? null)}::text[]`));
  const given = sql.join(names.map((_name, index) => sql.ref(`c${index}`)));
  // Types of the table as it is now, not of the file, which could name anything.
  const values = sql.join(
    names.map((name, index) => {
      const type = table.columns.find((column) => column.name === name)?.type ?? 'text';
      return sql`${sql.ref(`c${index}`)}::${sql.raw(type)} as ${sql.ref(name)}`;
    }),
  );
  const { numAffectedRows } = await sql`
    insert into ${sql.table(table.name)} (${columns}) overriding system value
    select ${columns} from (select ${values} from unnest(${arrays}) as given (${given})) restored
    where ${referencesThere(table)} on conflict do nothing`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

function referencesThere(table: Table): RawBuilder<unknown> {
  const conditions = table.references.map((key) => {
    const absent = key.columns.map((column) => sql`${sql.ref(`restored.${column}`)} is null`);
    const equal = key.columns.map(
      (column, index) =>
        sql`${sql.ref(`target.${key.foreign[index] ?? ''}`)} = ${sql.ref(`restored.${column}`)}`,
    );
    return sql`(${sql.join(absent, sql` or `)} or exists (
      select 1 from ${sql.table(key.table)} target where ${sql.join(equal, sql` and `)}))`;
  });
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
}

/** Identity columns go on behind the highest number restored. */
async function resetSequences(db: Database, table: Table): Promise<void> {
  const { rows } = await sql<{ column: string; sequence: string }>`
    select a.attname as column, pg_get_serial_sequence(quote_ident(c.relname), a.attname) as sequence
    from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relname = ${table.name} and pg_get_serial_sequence(quote_ident(c.relname), a.attname) is not null
  `.execute(db);
  for (const { column, sequence } of rows) {
    await sql`
      select setval(${sequence}::regclass, max(${sql.ref(column)}))
      from ${sql.table(table.name)} having max(${sql.ref(column)}) is not null`.execute(db);
  }
}

async function restoreObjects(
  file: BackupFile,
  blobs: BlobDriver,
): Promise<{ objects: number; objectBytes: number }> {
  const section = file.index.objects;
  if (section === null) return { objects: 0, objectBytes: 0 };
  const sink = new BlobSink(blobs);
  try {
    await readObjects(file.path, readSection(file.handle, file.path, section), sink);
  } finally {
    await sink.close();
  }
  return { objects: sink.objects, objectBytes: sink.bytesTaken };
}

class BlobSink implements ObjectSink {
  readonly #blobs: BlobDriver;
  #writer: BlobWriter | undefined;
  objects = 0;
  bytesTaken = 0;

  constructor(blobs: BlobDriver) {
    this.#blobs = blobs;
  }

  async begin(id: string): Promise<void> {
    this.#writer = await this.#blobs.create(id);
  }

  async bytes(chunk: Buffer): Promise<void> {
    await this.#writer?.write(chunk);
    this.bytesTaken += chunk.length;
  }

  async end(): Promise<void> {
    await this.#writer?.finish();
    this.#writer = undefined;
    this.objects += 1;
  }

  /** Removes an object that was not finished. */
  async close(): Promise<void> {
    await this.#writer?.abort();
  }
}

async function findMissing(
  file: BackupFile,
  blobs: BlobDriver,
): Promise<{ count: number; ids: readonly string[] }> {
  let count = 0;
  const ids: string[] = [];
  for (const section of file.index.tables) {
    const at = section.columns.findIndex((column) => column.name === OBJECT_COLUMN);
    if (at === -1) continue;
    for await (const row of readRows(file.handle, file.path, section)) {
      const id = row[at];
      if (id === null || id === undefined || (await blobs.size(id)) !== undefined) continue;
      count += 1;
      if (ids.length < MOST_NAMED) ids.push(id);
    }
  }
  return { count, ids };
}
