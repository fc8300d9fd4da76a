// The SQL of exemptions: the rules themselves, the images they name, and the condition that joins them to findings.
import { sql, type RawBuilder } from 'kysely';
import type { Severity } from '../../core/index.ts';
import type { Database, DatabaseTransaction } from '../../store/index.ts';
import { databaseJson } from '../json-rows.ts';
import { packageOf } from '../sbom/contents.ts';
import { parsePackageUrl } from '../sbom/package-url-reader.ts';
import type { ExemptionRule } from './exemption.ts';
import { globPattern } from './glob.ts';

/** An exemption as stored. */
export interface StoredExemption extends ExemptionRule {
  readonly id: string;
  /** Has its last day passed? */
  readonly expired: boolean;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface ExemptionRow {
  readonly id: string;
  readonly vulnerability: string | null;
  readonly package: string | null;
  readonly version: string | null;
  readonly image: string | null;
  readonly path: string | null;
  readonly reason: string;
  readonly owner: string;
  readonly expires: string;
  readonly expired: boolean;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const TODAY = sql`(now() at time zone 'utc')::date`;

const COLUMNS = sql`id, vulnerability, package, version, image, path, reason, owner,
  to_char(expires, 'YYYY-MM-DD') as expires, expires < ${TODAY} as expired, created_by, created_at, updated_at`;

/** In the order of their ids; `after` is the id of the last one seen. */
export async function listExemptions(
  db: Database,
  { limit, after = '' }: { readonly limit: number; readonly after?: string },
): Promise<readonly StoredExemption[]> {
  const { rows } = await sql<ExemptionRow>`
    select ${COLUMNS} from scan_exemption where id > ${after} order by id limit ${limit}`.execute(db);
  return rows.map(exemptionOf);
}

export async function findExemption(db: Database, id: string): Promise<StoredExemption | undefined> {
  const { rows } = await sql<ExemptionRow>`select ${COLUMNS} from scan_exemption where id = ${id}`.execute(
    db,
  );
  return rows[0] && exemptionOf(rows[0]);
}

/** Writes a new exemption, or the new content of one; false when `id` was to be replaced but is not there. */
export async function writeExemption(
  transaction: DatabaseTransaction,
  id: string,
  rule: ExemptionRule,
  by: { readonly actor: string; readonly now: Date; readonly replace: boolean },
): Promise<boolean> {
  const { kind, name, version } = packageColumns(rule.package);
  const values = sql`${flawId(rule.vulnerability)}, ${rule.package ?? null}, ${kind}, ${name},
    ${rule.version ?? version}, ${rule.image ?? null}, ${rule.path ?? null},
    ${rule.path === undefined ? null : globPattern(rule.path.replace(/^\/+/, ''))},
    ${rule.reason}, ${rule.owner}, ${rule.expires}::date`;
  const columns = sql`vulnerability, package, package_kind, package_name, version, image, path, path_pattern,
    reason, owner, expires`;
  const { numAffectedRows } = by.replace
    ? await sql`update scan_exemption set (${columns}, updated_at) = (select ${values}, ${by.now}::timestamptz)
        where id = ${id}`.execute(transaction)
    : await sql`insert into scan_exemption (id, ${columns}, created_by, created_at, updated_at)
        select ${id}, ${values}, ${by.actor}, ${by.now}::timestamptz, ${by.now}::timestamptz`.execute(
        transaction,
      );
  return numAffectedRows !== undefined && numAffectedRows > 0n;
}

export async function deleteExemption(transaction: DatabaseTransaction, id: string): Promise<boolean> {
  const { numAffectedRows } = await sql`delete from scan_exemption where id = ${id}`.execute(transaction);
  return numAffectedRows !== undefined && numAffectedRows > 0n;
}

/** Exemptions with an image pattern: those whose images must be kept up to date. */
export async function imagePatterns(
  db: Database,
): Promise<readonly { readonly id: string; readonly image: string }[]> {
  const { rows } = await sql<{ readonly id: string; readonly image: string }>`
    select id, image from scan_exemption where image is not null order by id`.execute(db);
  return rows;
}

/** Notes which of these images an exemption covers; the others of the list are not covered any more. */
export async function writeExemptionImages(
  transaction: DatabaseTransaction,
  id: string,
  images: readonly { readonly digest: string; readonly covered: boolean }[],
): Promise<void> {
  const json = databaseJson(images);
  await sql`delete from scan_exemption_image where exemption_id = ${id} and image_digest in (
    select digest from jsonb_to_recordset(${json}::jsonb) as r(digest text, covered boolean) where not covered)`.execute(
    transaction,
  );
  await sql`insert into scan_exemption_image (exemption_id, image_digest)
    select e.id, r.digest from jsonb_to_recordset(${json}::jsonb) as r(digest text, covered boolean)
    join scan_exemption e on e.id = ${id} where r.covered on conflict do nothing`.execute(transaction);
}

/**
 * Joins `scan_finding f` with the exemption that covers it as `e`, or nulls: the one that holds longest. Expired ones
 * cover nothing.
 */
export const exemptionJoin: RawBuilder<unknown> = sql`
  left join lateral (
    select e.id as exemption_id, e.reason as exemption_reason, e.owner as exemption_owner,
      to_char(e.expires, 'YYYY-MM-DD') as exemption_until
    from scan_exemption e
    where e.expires >= ${TODAY}
      and (e.vulnerability is null or f.id = e.vulnerability or f.advisory = e.vulnerability
        or f.aliases @> to_jsonb(e.vulnerability))
      and (e.package_kind is null or e.package_kind = f.kind)
      and (e.package_name is null or e.package_name = f.package or exists (
        select 1 from scan_coordinate c
        where c.name = f.package and c.purl = f.purl and c.source_name = e.package_name))
      and (e.version is null or e.version = f.installed)
      and (e.path_pattern is null or f.path ~ e.path_pattern)
      and (e.image is null or exists (
        select 1 from scan_exemption_image x where x.exemption_id = e.id and x.image_digest = f.image_digest))
    order by e.expires desc, e.id limit 1
  ) e on true`;

/** Exempt findings of the shown generation by image and severity: what stored counts must be lowered by. */
export async function countExempt(
  db: Database,
  digests: readonly string[],
): Promise<readonly { readonly digest: string; readonly severity: Severity; readonly count: number }[]> {
  const any = await sql`select 1 from scan_exemption limit 1`.execute(db);
  if (any.rows.length === 0 || digests.length === 0) return [];
  const { rows } = await sql<{
    readonly digest: string;
    readonly severity: Severity;
    readonly count: number;
  }>`
    select f.image_digest as digest, f.severity, count(*)::integer as count
    from scan_image i
    join scan_finding f on f.image_digest = i.digest and f.first_generation <= i.generation
      and f.last_generation >= i.generation
    ${exemptionJoin}
    where e.exemption_id is not null
      and i.digest in (select jsonb_array_elements_text(${databaseJson(digests)}::jsonb))
    group by 1, 2`.execute(db);
  return rows;
}

/** As findings write their ids: `GHSA-` with the rest in lower case, all others in upper case. */
function flawId(id: string | undefined): string | null {
  if (id === undefined) return null;
  return /^ghsa-/i.test(id) ? `GHSA-${id.slice(5).toLowerCase()}` : id.toUpperCase();
}

function packageColumns(text: string | undefined): {
  readonly kind: string | null;
  readonly name: string | null;
  readonly version: string | null;
} {
  if (text === undefined) return { kind: null, name: null, version: null };
  const purl = parsePackageUrl(text);
  const item = purl && packageOf(purl, { version: purl.version ?? '0' }, '');
  if (purl === undefined || item === undefined) return { kind: null, name: text, version: null };
  return { kind: item.kind, name: item.name, version: purl.version === null ? null : item.version };
}

function exemptionOf(row: ExemptionRow): StoredExemption {
  const { vulnerability, package: name, version, image, path } = row;
  return {
    id: row.id,
    ...(vulnerability === null ? {} : { vulnerability }),
    ...(name === null ? {} : { package: name }),
    ...(version === null ? {} : { version }),
    ...(image === null ? {} : { image }),
    ...(path === null ? {} : { path }),
    reason: row.reason,
    owner: row.owner,
    expires: row.expires,
    expired: row.expired,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
