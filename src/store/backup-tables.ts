// The tables a backup holds: found in the catalogue, ordered by foreign keys, paged by primary key.
import { sql } from 'kysely';
import { MAX_ROWS_PER_TRANSACTION, MiB } from '../core/index.ts';
import type { BackupRow } from './backup-format.ts';
import { storeErrors } from './errors.ts';
import type { Database } from './types.ts';

/**
 * Tables of the moment, which mean nothing elsewhere. Jobs (schema `pgboss`) are left out too: what is to be scanned
 * is known from `scan_image`, and webhook deliveries from their own table.
 */
const TRANSIENT = [
  'schema_migration',
  'invalidation',
  'journal_position',
  'backup_hold',
  'restore_unfinished',
  // Sessions of uploads under way: the client would have to continue them within the day.
  'registry_upload',
];

/** Tables that migrations put their only row into: a new store has it, and a restore replaces it. */
export const SEEDED: readonly string[] = ['scan_advisory_current'];

/** Columns of this name hold ids of stored objects. */
export const OBJECT_COLUMN = 'object_id';

/** Text of one page of rows; a single larger row still makes a page of its own. */
const PAGE_BYTES = 4 * MiB;

export interface TableColumn {
  readonly name: string;
  /** As in a cast: `bigint`, `text[]`, `timestamp with time zone`. */
  readonly type: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly TableColumn[];
  readonly key: readonly TableColumn[];
  readonly references: readonly ForeignKey[];
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
  readonly foreign: readonly string[];
}

/** Every table of the public schema that a backup holds, referenced tables before those that refer to them. */
export async function readTables(db: Database): Promise<readonly Table[]> {
  const { rows } = await sql<{ table: string; name: string; type: string; key: number | null }>`
    select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      array_position(string_to_array(i.indkey::text, ' ')::int[], a.attnum::int) as key
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relkind = 'r' and c.relname <> all (${TRANSIENT}::text[])
    order by c.relname, a.attnum`.execute(db);
  const keys = await readForeignKeys(db);
  const byTable = Map.groupBy(rows, (row) => row.table);
  const tables = [...byTable].map(([name, columns]) => ({
    name,
    columns: columns.map((column) => ({ name: column.name, type: column.type })),
    key: columns
      .filter((column) => column.key !== null)
      .toSorted((a, b) => (a.key ?? 0) - (b.key ?? 0))
      .map((column) => ({ name: column.name, type: column.type })),
    references: keys.filter((key) => key.from === name),
  }));
  return byReference(tables);
}

async function readForeignKeys(db: Database): Promise<readonly (ForeignKey & { readonly from: string })[]> {
  const { rows } = await sql<ForeignKey & { readonly from: string }>`
    select c.conrelid::regclass::text as from, c.confrelid::regclass::text as table,
      (select array_agg(a.attname::text order by k.position) from unnest(c.conkey) with ordinality as k (number, position)
       join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns,
      (select array_agg(a.attname::text order by k.position) from unnest(c.confkey) with ordinality as k (number, position)
       join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number) as foreign
    from pg_constraint c join pg_namespace n on n.oid = c.connamespace and n.nspname = 'public'
    where c.contype = 'f'`.execute(db);
  return rows;
}

/** Depth first; a table that refers to itself or to a circle stands where it is first met. */
function byReference(tables: readonly Table[]): readonly Table[] {
  const ordered = new Set<Table>();
  const visiting = new Set<Table>();
  const visit = (table: Table): void => {
    if (visiting.has(table)) return;
    visiting.add(table);
    for (const { table: target } of table.references) {
      const found = tables.find((other) => other.name === target);
      if (found !== undefined) visit(found);
    }
    ordered.add(table);
  };
  for (const table of tables) visit(table);
  return [...ordered];
}

/** All rows in order of the primary key, in pages of short statements. Rejects with STORE_BACKUP_NO_KEY. */
export async function* readPages(db: Database, table: Table): AsyncGenerator<readonly BackupRow[]> {
  if (table.key.length === 0) throw storeErrors.create('STORE_BACKUP_NO_KEY', { table: table.name });
  const order = sql.join(table.key.map((column) => sql.ref(column.name)));
  const texts = table.columns.map(
    (column, index) => sql`${sql.ref(column.name)}::text as ${sql.ref(`c${index}`)}`,
  );
  const keyAt = table.key.map((key) => table.columns.findIndex((column) => column.name === key.name));
  for (let after: readonly string[] | undefined; ; ) {
    const bounds = after?.map((value, index) => sql`${value}::${sql.raw(table.key[index]?.type ?? 'text')}`);
    const where = bounds === undefined ? sql`true` : sql`(${order}) > (${sql.join(bounds)})`;
    const { rows } = await sql<Record<string, string | null>>`
      select ${sql.join(texts)} from (
        select page.*, sum(octet_length(page::text)) over (order by ${order}) - octet_length(page::text) as bytes_before
        from (select * from ${sql.table(table.name)} where ${where} order by ${order}
              limit ${MAX_ROWS_PER_TRANSACTION}) page
      ) measured where bytes_before < ${PAGE_BYTES} order by ${order}`.execute(db);
    if (rows.length === 0) return;
    const page = rows.map((row) => table.columns.map((_column, index) => row[`c${index}`] ?? null));
    yield page;
    const last = page.at(-1);
    after = keyAt.map((index) => last?.[index] ?? '');
  }
}
