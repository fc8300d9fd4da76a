// What must be known of images to match some of their packages again: those packages, and the findings they have now.
import { sql } from 'kysely';
import type { Database } from '../../store/index.ts';
import { databaseJson } from '../json-rows.ts';
import { PROBLEM_CODES } from '../problem-codes.ts';
import {
  packageOf,
  storedFindingOf,
  type FindingRow,
  type PackageRow,
  type StoredFinding,
} from '../store-queries.ts';
import type { DistributionRelease, ImagePackage } from '../types.ts';
import type { TouchedGroups } from './touched.ts';

export interface ImageState {
  readonly digest: string;
  /** The result that all this belongs to. */
  readonly generation: number;
  readonly distribution: DistributionRelease | null;
  /** The packages to match again, with their layers. */
  readonly packages: readonly ImagePackage[];
  readonly layerDigests: ReadonlyMap<number, string>;
  /** Does its result say that some versions could not be compared? */
  readonly undecided: boolean;
  /** Open findings of those packages. */
  readonly findings: readonly StoredFinding[];
}

interface GroupRow {
  readonly digest: string;
  readonly generation: number;
  readonly distribution: DistributionRelease | null;
  readonly layer: number;
  readonly layer_digest: string | null;
  readonly group_id: number;
  readonly undecided: boolean | null;
}

const UNDECIDED = databaseJson([{ code: PROBLEM_CODES.versionUnknown }]);

/** States of images whose packages in `touched` groups are to be matched again; with `'all'`, all of their packages. */
export async function readStates(
  db: Database,
  digests: readonly string[],
  touched: TouchedGroups | 'all',
): Promise<readonly ImageState[]> {
  const { rows } = await sql<GroupRow>`
    select i.digest, i.generation, i.distribution, g.layer, i.layers -> g.layer ->> 'digest' as layer_digest, g.group_id,
      i.problems @> ${UNDECIDED}::jsonb as undecided
    from scan_image i
    left join scan_image_group g on g.image_digest = i.digest and g.generation = i.package_generation
    where i.digest in (select jsonb_array_elements_text(${databaseJson(digests)}::jsonb)) and i.generation > 0
    order by i.digest, g.position`.execute(db);
  const groups = touched === 'all' ? await readGroups(db, rows) : touched;
  const states = [...Map.groupBy(rows, (row) => row.digest)].flatMap(([digest, own]) => {
    const [first] = own;
    if (first === undefined) return [];
    const packages = own.flatMap(({ group_id, layer }) =>
      (groups.get(group_id) ?? []).map((item) => ({ ...item, layer })),
    );
    const layerDigests = new Map(own.map((row) => [row.layer, row.layer_digest ?? '']));
    const { generation, distribution } = first;
    const undecided = first.undecided === true;
    return [{ digest, generation, distribution, packages, layerDigests, undecided }];
  });
  const findings = await readFindings(db, states, touched === 'all');
  return states.map((state) => ({ ...state, findings: findings.get(state.digest) ?? [] }));
}

async function readGroups(db: Database, rows: readonly GroupRow[]): Promise<TouchedGroups> {
  const ids = [...new Set(rows.flatMap((row) => row.group_id ?? []))];
  const found = await sql<PackageRow & { readonly group_id: number }>`
    select p.group_id, p.ordinal, c.kind, c.name, c.version, c.source_name, c.source_version, c.architecture, c.purl,
      0 as layer, p.path, p.owned_by, p.licenses, p.detail
    from scan_package_group_item p join scan_coordinate c on c.id = p.coordinate_id
    where p.group_id in (select value::bigint from jsonb_array_elements_text(${databaseJson(ids)}::jsonb) as value)
    order by p.group_id, p.ordinal`.execute(db);
  const groups = Map.groupBy(found.rows, (row) => row.group_id);
  return new Map([...groups].map(([id, items]) => [id, items.map(packageOf)]));
}

async function readFindings(
  db: Database,
  states: readonly Omit<ImageState, 'findings'>[],
  all: boolean,
): Promise<ReadonlyMap<string, readonly StoredFinding[]>> {
  const wanted = new Map(states.map((state) => [state.digest, new Set(state.packages.map(placeOf))]));
  const pairs = all
    ? states.map(({ digest }) => ({ digest, purl: null }))
    : states.flatMap(({ digest, packages }) =>
        [...new Set(packages.map((item) => item.purl))].map((purl) => ({ digest, purl })),
      );
  const { rows } = await sql<FindingRow>`
    select f.*, true as open
    from jsonb_to_recordset(${databaseJson(pairs)}::jsonb) as w(digest text, purl text)
    join scan_image i on i.digest = w.digest
    join scan_finding f on f.image_digest = w.digest and ${all ? sql`true` : sql`f.purl = w.purl`}
    where f.first_generation <= i.generation and f.last_generation >= i.generation`.execute(db);
  const mine = rows.map(storedFindingOf).filter((one) => wanted.get(one.image)?.has(placeOf(one)) === true);
  return Map.groupBy(mine, (one) => one.image);
}

/** Where a package is, and which: a finding belongs to the package at its own place. */
function placeOf({ purl, path }: { readonly purl: string; readonly path: string }): string {
  return `${purl}\n${path}`;
}
