// The SQL behind lists of packages and findings. Only rows of the shown generation are ever read.
import { sql, type RawBuilder } from 'kysely';
import { SEVERITIES, type Severity } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { exemptionJoin } from './exemptions/store.ts';
import { databaseJson } from './json-rows.ts';
import { PACKAGE_KINDS, type Finding, type ImagePackage, type PackageKind } from './types.ts';

/** A finding as stored: in which image, and since when. */
export interface StoredFinding extends Finding {
  readonly image: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export interface FindingFilter {
  readonly image?: string;
  readonly severities?: readonly Severity[];
  /** The finding's id or one of its aliases. */
  readonly id?: string;
  readonly package?: string;
  readonly fixable?: boolean;
  /** Default `open`. */
  readonly state?: 'open' | 'fixed' | 'exempt' | 'all';
  readonly limit: number;
  readonly cursor?: string;
}

export interface FindingRow {
  readonly number: number;
  readonly image_digest: string;
  readonly id: string;
  readonly advisory: string;
  readonly aliases: readonly string[];
  readonly purl: string;
  readonly kind: string;
  readonly package: string;
  readonly installed: string;
  readonly fixed: string | null;
  readonly fix_state: string;
  readonly severity: string;
  readonly severity_rank: number;
  readonly severity_source: string;
  readonly cvss_score: number | null;
  readonly cvss_vector: string | null;
  readonly epss: number | null;
  readonly exploited: boolean;
  readonly title: string;
  readonly range: string;
  readonly layer: number;
  readonly layer_digest: string | null;
  readonly path: string;
  readonly open: boolean;
  readonly first_seen: Date;
  readonly last_seen: Date;
  /** Of the exemption that covers it; absent where exemptions are not looked at. */
  readonly exemption_id?: string | null;
  readonly exemption_reason?: string | null;
  readonly exemption_owner?: string | null;
  readonly exemption_until?: string | null;
}

/** Findings, the most severe first. */
export async function listFindings(
  db: Database,
  filter: FindingFilter,
): Promise<{ readonly findings: readonly StoredFinding[]; readonly nextCursor: string | null }> {
  const conditions = conditionsOf(filter);
  const { rows } = await sql<FindingRow>`
    select f.*, f.last_generation >= i.generation as open, e.*
    from scan_finding f join scan_image i on i.digest = f.image_digest
    ${exemptionJoin}
    where f.first_generation <= i.generation and ${sql.join(conditions, sql` and `)}
    order by f.severity_rank, f.number limit ${filter.limit + 1}`.execute(db);
  const page = rows.slice(0, filter.limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    findings: page.map(storedFindingOf),
    nextCursor: last === undefined ? null : encodeCursor([last.severity_rank, last.number]),
  };
}

function conditionsOf(filter: FindingFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  const { image, severities, id, state = 'open', cursor } = filter;
  if (image !== undefined) conditions.push(sql`f.image_digest = ${image}`);
  if (severities !== undefined) {
    const ranks = severities.map((severity) => SEVERITIES.indexOf(severity));
    conditions.push(
      sql`f.severity_rank in (select value::integer from jsonb_array_elements_text(${databaseJson(ranks)}::jsonb) as value)`,
    );
  }
  if (id !== undefined) conditions.push(sql`(f.id = ${id} or f.aliases @> ${databaseJson([id])}::jsonb)`);
  if (filter.package !== undefined) conditions.push(sql`f.package = ${filter.package}`);
  if (filter.fixable === true) conditions.push(sql`f.fixed is not null`);
  if (filter.fixable === false) conditions.push(sql`f.fixed is null`);
  if (state === 'open' || state === 'exempt') conditions.push(sql`f.last_generation >= i.generation`);
  if (state === 'open') conditions.push(sql`e.exemption_id is null`);
  if (state === 'exempt') conditions.push(sql`e.exemption_id is not null`);
  if (state === 'fixed') conditions.push(sql`f.last_generation < i.generation`);
  if (cursor !== undefined) {
    const [rank, number] = decodeCursor(cursor, 2);
    conditions.push(sql`(f.severity_rank, f.number) > (${rank}::bigint, ${number}::bigint)`);
  }
  return conditions;
}

const FIX_STATES = ['fixed', 'not-fixed', 'will-not-fix', 'unknown'] as const;

/** A row of `scan_finding` with its state, as everybody is shown it. */
export function storedFindingOf(row: FindingRow): StoredFinding {
  return {
    image: row.image_digest,
    id: row.id,
    advisory: row.advisory,
    aliases: row.aliases,
    purl: row.purl,
    kind: kindOf(row.kind),
    package: row.package,
    installed: row.installed,
    fixed: row.fixed,
    fixState: FIX_STATES.find((state) => state === row.fix_state) ?? 'unknown',
    severity: SEVERITIES.find((severity) => severity === row.severity) ?? 'unknown',
    severitySource: row.severity_source,
    cvssScore: row.cvss_score,
    cvssVector: row.cvss_vector,
    epss: row.epss,
    exploited: row.exploited,
    title: row.title,
    range: row.range,
    layer: row.layer,
    layerDigest: row.layer_digest,
    path: row.path,
    ...stateOf(row),
    firstSeen: row.first_seen.toISOString(),
    lastSeen: row.last_seen.toISOString(),
  };
}

/** Exempt is only what would be open otherwise. */
function stateOf(row: FindingRow): Pick<Finding, 'state' | 'suppression'> {
  if (!row.open) return { state: 'fixed' };
  const { exemption_id: source, exemption_reason: reason, exemption_owner: owner } = row;
  if (typeof source !== 'string') return { state: 'open' };
  const until = row.exemption_until ?? null;
  return {
    state: 'exempt',
    suppression: { by: 'exemption', source, reason: reason ?? '', owner: owner ?? null, until },
  };
}

function kindOf(text: string): PackageKind {
  return PACKAGE_KINDS.find((kind) => kind === text) ?? 'dpkg';
}

export interface PackageRow {
  readonly position: number;
  readonly ordinal: number;
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  readonly source_name: string | null;
  readonly source_version: string | null;
  readonly architecture: string | null;
  readonly purl: string;
  readonly layer: number;
  readonly path: string;
  readonly owned_by: string | null;
  readonly licenses: readonly string[];
  readonly detail: Readonly<Record<string, string>> | null;
}

/** Packages of an image, lowest layer first, and in the order of its report in each. */
export async function listPackages(
  db: Database,
  filter: { readonly image: string; readonly limit: number; readonly cursor?: string },
): Promise<{ readonly packages: readonly ImagePackage[]; readonly nextCursor: string | null }> {
  const [position = -1, ordinal = -1] = filter.cursor === undefined ? [] : decodeCursor(filter.cursor, 2);
  const { rows } = await sql<PackageRow>`
    select g.position, p.ordinal, c.kind, c.name, c.version, c.source_name, c.source_version, c.architecture, c.purl,
      g.layer, p.path, p.owned_by, p.licenses, p.detail
    from scan_image i
    join scan_image_group g on g.image_digest = i.digest and g.generation = i.package_generation
    join scan_package_group_item p on p.group_id = g.group_id
    join scan_coordinate c on c.id = p.coordinate_id
    where i.digest = ${filter.image} and (g.position, p.ordinal) > (${position}::bigint, ${ordinal}::bigint)
    order by g.position, p.ordinal limit ${filter.limit + 1}`.execute(db);
  const page = rows.slice(0, filter.limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    packages: page.map(packageOf),
    nextCursor: last === undefined ? null : encodeCursor([last.position, last.ordinal]),
  };
}

export function packageOf(row: Omit<PackageRow, 'position' | 'ordinal'>): ImagePackage {
  const { source_name: name, source_version: version } = row;
  return {
    kind: kindOf(row.kind),
    name: row.name,
    version: row.version,
    ...(name === null || version === null ? {} : { source: { name, version } }),
    ...(row.architecture === null ? {} : { architecture: row.architecture }),
    path: row.path,
    ...(row.licenses.length === 0 ? {} : { licenses: row.licenses }),
    ...(row.detail === null ? {} : { detail: row.detail }),
    purl: row.purl,
    layer: row.layer,
    ...(row.owned_by === null ? {} : { ownedBy: row.owned_by }),
  };
}
