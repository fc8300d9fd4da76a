// From changed advisories to the packages and images they concern, through the indexes over coordinates and groups.
import { sql } from 'kysely';
import { batches } from '../../core/index.ts';
import type { PackageKey } from '../../advisories/index.ts';
import type { Database } from '../../store/index.ts';
import { databaseJson } from '../json-rows.ts';
import { packageOf, type PackageRow } from '../store-queries.ts';
import type { ImagePackage } from '../types.ts';

/** Packages by the group they are stored in; their layer is that of the group in each image, and 0 here. */
export type TouchedGroups = ReadonlyMap<number, readonly ImagePackage[]>;

/** Coordinates that advisories speak of under one of the names. */
export async function coordinatesNamed(
  db: Database,
  keys: readonly PackageKey[],
): Promise<readonly number[]> {
  const ids = new Set<number>();
  for (const batch of batches(keys)) {
    const { rows } = await sql<{ readonly coordinate_id: number }>`
      select n.coordinate_id
      from jsonb_to_recordset(${databaseJson(batch)}::jsonb) as k(ecosystem text, name text)
      join scan_package_name n on n.ecosystem = k.ecosystem and n.name = k.name`.execute(db);
    for (const row of rows) ids.add(row.coordinate_id);
  }
  return [...ids];
}

/** Coordinates with a finding that rests on one of the advisories, or on another advisory of the same flaw. */
export async function coordinatesFound(db: Database, ids: readonly string[]): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const batch of batches(ids)) {
    const json = databaseJson(batch);
    const { rows } = await sql<{ readonly id: number }>`
      with named as (
        select distinct purl, package from scan_finding
        where id in (select jsonb_array_elements_text(${json}::jsonb))
          or aliases ?| array(select jsonb_array_elements_text(${json}::jsonb)))
      select c.id from named join scan_coordinate c on c.name = named.package and c.purl = named.purl`.execute(
      db,
    );
    for (const row of rows) found.add(row.id);
  }
  return [...found];
}

type ItemRow = Omit<PackageRow, 'position' | 'ordinal' | 'layer'> & { readonly group_id: number };

/** The packages with these coordinates, in every group that holds one. */
export async function groupsHolding(db: Database, coordinates: readonly number[]): Promise<TouchedGroups> {
  const groups = new Map<number, ImagePackage[]>();
  for (const batch of batches(coordinates)) {
    const { rows } = await sql<ItemRow>`
      select p.group_id, c.kind, c.name, c.version, c.source_name, c.source_version, c.architecture, c.purl,
        p.path, p.owned_by, p.licenses, p.detail
      from scan_package_group_item p join scan_coordinate c on c.id = p.coordinate_id
      where p.coordinate_id in (
        select value::bigint from jsonb_array_elements_text(${databaseJson(batch)}::jsonb) as value)`.execute(
      db,
    );
    for (const row of rows) {
      const item = packageOf({ ...row, layer: 0 });
      const group = groups.get(row.group_id);
      if (group === undefined) groups.set(row.group_id, [item]);
      else group.push(item);
    }
  }
  return groups;
}

const PAGE = 5_000;

/** Digests of the images that have one of the groups in their shown result, sorted. */
export async function imagesWith(db: Database, groups: readonly number[]): Promise<readonly string[]> {
  const digests = new Set<string>();
  for (const batch of batches(groups)) {
    let after = { group: -1, digest: '' };
    for (;;) {
      const { rows } = await sql<{ readonly group_id: number; readonly image_digest: string }>`
        select g.group_id, g.image_digest from scan_image_group g
        where g.group_id in (
          select value::bigint from jsonb_array_elements_text(${databaseJson(batch)}::jsonb) as value)
          and (g.group_id, g.image_digest) > (${after.group}::bigint, ${after.digest}::text)
        order by g.group_id, g.image_digest limit ${PAGE}`.execute(db);
      for (const row of rows) digests.add(row.image_digest);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) break;
      after = { group: last.group_id, digest: last.image_digest };
    }
  }
  return [...digests].toSorted();
}

/** Digests of every image with a result, in pages. */
export async function* everyImage(db: Database, limit: number): AsyncGenerator<readonly string[]> {
  for (let after = ''; ; ) {
    const { rows } = await sql<{ readonly digest: string }>`
      select digest from scan_image where generation > 0 and digest > ${after} order by digest limit ${limit}`.execute(
      db,
    );
    if (rows.length > 0) yield rows.map((row) => row.digest);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    after = last.digest;
  }
}
