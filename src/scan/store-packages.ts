// The SQL of image packages: coordinates, the groups that images share, and which image has which groups.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { batches } from '../core/index.ts';
import type { Database, DatabaseTransaction } from '../store/index.ts';
import { databaseJson } from './json-rows.ts';
import { MAX_GROUP, type PackageGroup } from './package-groups.ts';

/** Runs a small transaction unless the attempt was overtaken; resolves to whether it ran. */
type Write = (run: (transaction: DatabaseTransaction) => Promise<void>) => Promise<boolean>;

/** Stores the packages of a generation of an image. Groups that are stored already cost one row. */
export async function insertImagePackages(
  db: Database,
  image: { readonly digest: string; readonly generation: number },
  groups: readonly PackageGroup[],
  write: Write,
): Promise<boolean> {
  const distinct = [...new Map(groups.map((group) => [group.key, group])).values()];
  const stored = await storedGroups(db, distinct);
  for (const batch of groupBatches(distinct.filter((group) => !stored.has(group.key)))) {
    if (!(await write((transaction) => insertGroups(transaction, batch)))) return false;
  }
  const rows = groups.map(({ key, layer }, position) => ({ key, layer, position }));
  for (const batch of batches(rows)) {
    const written = await write(async (transaction) => {
      await sql`
        insert into scan_image_group (image_digest, generation, position, layer, group_id)
        select ${image.digest}, ${image.generation}::integer, r.position, r.layer, g.id
        from jsonb_to_recordset(${databaseJson(batch)}::jsonb) as r(key text, layer integer, position integer)
        join scan_package_group g on g.key = r.key`.execute(transaction);
    });
    if (!written) return false;
  }
  return true;
}

async function storedGroups(db: Database, groups: readonly PackageGroup[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ readonly key: string }>`
    select key from scan_package_group
    where key in (select jsonb_array_elements_text(${databaseJson(groups.map(({ key }) => key))}::jsonb))`.execute(
    db,
  );
  return new Set(rows.map((row) => row.key));
}

/** Runs of groups with at most {@link MAX_GROUP} packages together. */
function* groupBatches(groups: readonly PackageGroup[]): Generator<readonly PackageGroup[]> {
  let batch: PackageGroup[] = [];
  let size = 0;
  for (const group of groups) {
    if (size + group.packages.length > MAX_GROUP && batch.length > 0) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(group);
    size += group.packages.length;
  }
  if (batch.length > 0) yield batch;
}

/** A group and its packages appear together: who sees a group's row sees all of it. */
async function insertGroups(
  transaction: DatabaseTransaction,
  groups: readonly PackageGroup[],
): Promise<void> {
  const rows = groups.flatMap(({ key: group, packages }) =>
    packages.map(({ item, names }, ordinal) => ({
      group,
      ordinal,
      key: hashOf(item.purl, item.source?.name ?? '', item.source?.version ?? ''),
      kind: item.kind,
      name: item.name,
      version: item.version,
      source_name: item.source?.name ?? null,
      source_version: item.source?.version ?? null,
      architecture: item.architecture ?? null,
      purl: item.purl,
      path: item.path,
      owned_by: item.ownedBy ?? null,
      licenses: item.licenses ?? [],
      detail: item.detail ?? null,
      names,
    })),
  );
  const json = databaseJson(rows);
  // In the order of the keys, so that two transactions never wait for each other's rows.
  await sql`
    insert into scan_coordinate (key, kind, name, version, source_name, source_version, architecture, purl)
    select distinct on (key) key, kind, name, version, source_name, source_version, architecture, purl
    from jsonb_to_recordset(${json}::jsonb) as r(key text, kind text, name text, version text, source_name text,
      source_version text, architecture text, purl text)
    order by key
    on conflict (key) do nothing`.execute(transaction);
  await sql`
    insert into scan_package_name (ecosystem, name, coordinate_id)
    select distinct n.ecosystem, n.name, c.id
    from jsonb_to_recordset(${json}::jsonb) as r(key text, names jsonb)
    join scan_coordinate c on c.key = r.key
    cross join jsonb_to_recordset(r.names) as n(ecosystem text, name text)
    order by 1, 2, 3
    on conflict do nothing`.execute(transaction);
  await sql`
    with added as (
      insert into scan_package_group (key)
      select key from jsonb_array_elements_text(${databaseJson(groups.map(({ key }) => key).toSorted())}::jsonb) as key
      on conflict (key) do nothing returning id, key)
    insert into scan_package_group_item
      (group_id, ordinal, coordinate_id, path, owned_by, licenses, detail)
    select added.id, r.ordinal, c.id, r.path, r.owned_by, r.licenses, r.detail
    from jsonb_to_recordset(${json}::jsonb) as r("group" text, key text, ordinal integer, path text, owned_by text,
      licenses jsonb, detail jsonb)
    join added on added.key = r."group" join scan_coordinate c on c.key = r.key`.execute(transaction);
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

const DELETE_ROWS = 500;

/**
 * Removes an image's packages of some generations, and the groups that no image has any more. A scan that stores a
 * group in the same moment either keeps it alive or, its reference refused, is tried again.
 */
export async function removeImagePackages(
  db: Database,
  digest: string,
  generations: { readonly except?: number; readonly before?: number } = {},
): Promise<void> {
  const { except = -1, before = 2_147_483_647 } = generations;
  for (;;) {
    const { rows } = await sql<{ readonly group_id: number }>`
      delete from scan_image_group where (image_digest, generation, position) in (
        select image_digest, generation, position from scan_image_group
        where image_digest = ${digest} and generation <> ${except} and generation < ${before} limit ${DELETE_ROWS})
      returning group_id`.execute(db);
    for (const batch of batches(
      rows.map((row) => row.group_id),
      5,
    )) {
      await sql`
        delete from scan_package_group g
        where g.id in (select value::bigint from jsonb_array_elements_text(${databaseJson(batch)}::jsonb) as value)
        and not exists (select 1 from scan_image_group i where i.group_id = g.id)`.execute(db);
    }
    if (rows.length < DELETE_ROWS) return;
  }
}
