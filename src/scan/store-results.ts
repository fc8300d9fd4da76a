// The SQL that writes a scan's result: in small transactions, invisible until the image's row is switched to it.
import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';
import { batches, SEVERITIES, severityRank } from '../core/index.ts';
import type { Database, DatabaseTransaction } from '../store/index.ts';
import { databaseJson, databaseText } from './json-rows.ts';
import { groupPackages, groupsHash } from './package-groups.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { scanVersions } from './scan-versions.ts';
import { insertSecrets, removeAllSecrets, removeHiddenSecrets } from './secrets/store.ts';
import { holdCurrentEpoch } from './store-epochs.ts';
import { holdsAttempt, type SeverityCounts } from './store.ts';
import { insertImagePackages, removeImagePackages } from './store-packages.ts';
import type { Finding, ScanProblem, ScanReport } from './types.ts';

/** Problems kept with an image. */
const MAX_PROBLEMS = 1_000;
const DELETE_ROWS = 500;

/**
 * Stores the report of an attempt. Readers see the whole of it at once, when the last statement switches the image's
 * row; until then, and when the writer dies, they see the result before. Returns false when a later attempt has begun
 * in the meantime: its result will be the one to stand.
 */
export async function saveReport(
  db: Database,
  digest: string,
  attempt: number,
  report: ScanReport,
  now: Date,
): Promise<boolean> {
  const write = (run: (transaction: DatabaseTransaction) => Promise<void>): Promise<boolean> =>
    db.transaction().execute(async (transaction) => {
      if (!(await holdsAttempt(transaction, digest, attempt))) return false;
      await run(transaction);
      return true;
    });
  if (!(await removeUnswitched(db, digest, attempt))) return false;
  const groups = groupPackages(report.packages, report.distribution);
  const hash = groupsHash(groups);
  const samePackages = await hasPackages(db, digest, hash);
  if (!samePackages && !(await insertImagePackages(db, { digest, generation: attempt }, groups, write)))
    return false;
  for (const batch of batches(distinctFindings(report.findings))) {
    if (
      !(await write((transaction) =>
        upsertFindings(
          transaction,
          batch.map((finding) => ({ digest, generation: attempt, finding })),
          now,
        ),
      ))
    )
      return false;
  }
  if (!(await insertSecrets(report.secrets ?? [], digest, attempt, write))) return false;
  const switched = await write((transaction) =>
    switchTo(transaction, digest, attempt, report, samePackages ? null : hash, now),
  );
  if (switched && !samePackages) await removeOldPackages(db, digest);
  if (switched) await removeHiddenSecrets(db, digest, attempt);
  return switched;
}

/** Open findings by severity. */
export function countFindings(findings: readonly Pick<Finding, 'severity' | 'state'>[]): SeverityCounts {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, informational: 0, unknown: 0 };
  for (const finding of findings) if (finding.state === 'open') counts[finding.severity]++;
  return counts;
}

/** Removes all that is stored about an image. */
export async function forgetImage(db: Database, digest: string): Promise<void> {
  await sql`delete from scan_image where digest = ${digest}`.execute(db);
  await sql`delete from scan_index_child where index_digest = ${digest}`.execute(db);
  await removeInBatches(db, sql`scan_finding`, sql`image_digest = ${digest}`);
  await removeImagePackages(db, digest);
  await removeAllSecrets(db, digest);
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** Names a finding among those of its image. */
export function findingKey(finding: Pick<Finding, 'id' | 'purl' | 'path'>): string {
  return hashOf(finding.id, finding.purl, finding.path);
}

/** One finding for each id, package and file; a repeated one would not fit the table's key. */
export function distinctFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [findingKey(finding), finding])).values()];
}

async function hasPackages(db: Database, digest: string, hash: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from scan_image where digest = ${digest} and package_hash = ${hash}`.execute(db);
  return rows.length > 0;
}

/** Rows that an attempt left behind which was never switched to, and that this one must not inherit. */
async function removeUnswitched(db: Database, digest: string, attempt: number): Promise<boolean> {
  const { rows } = await sql<{ readonly generation: number; readonly package_generation: number }>`
    select generation, package_generation from scan_image
    where digest = ${digest} and attempt = ${attempt}`.execute(db);
  const [row] = rows;
  if (row === undefined) return false;
  const { generation, package_generation } = row;
  await removeInBatches(
    db,
    sql`scan_finding`,
    sql`image_digest = ${digest} and first_generation > ${generation} and first_generation < ${attempt}`,
  );
  await removeImagePackages(db, digest, { except: package_generation, before: attempt });
  await removeHiddenSecrets(db, digest, attempt);
  return true;
}

async function removeOldPackages(db: Database, digest: string): Promise<void> {
  const { rows } = await sql<{ readonly package_generation: number }>`
    select package_generation from scan_image where digest = ${digest}`.execute(db);
  const before = rows[0]?.package_generation;
  if (before !== undefined) await removeImagePackages(db, digest, { before });
}

async function removeInBatches(
  db: Database,
  table: RawBuilder<unknown>,
  condition: RawBuilder<unknown>,
): Promise<void> {
  for (;;) {
    const { numAffectedRows } = await sql`
      delete from ${table} where ctid in (select ctid from ${table} where ${condition} limit ${DELETE_ROWS})`.execute(
      db,
    );
    if (numAffectedRows === undefined || numAffectedRows < BigInt(DELETE_ROWS)) return;
  }
}

/** A finding with the image and the generation that has seen it. */
export interface SeenFinding {
  readonly digest: string;
  readonly generation: number;
  readonly finding: Finding;
}

/** Stores findings as open in their generations; at most {@link MAX_ROWS_PER_TRANSACTION} of them. */
export async function upsertFindings(
  transaction: DatabaseTransaction,
  findings: readonly SeenFinding[],
  now: Date,
): Promise<void> {
  const rows = findings.map(({ digest, generation, finding }) => ({
    ...finding,
    digest,
    generation,
    key: findingKey(finding),
    fix_state: finding.fixState,
    severity_rank: severityRank(finding.severity),
    severity_source: finding.severitySource,
    cvss_score: finding.cvssScore,
    cvss_vector: finding.cvssVector,
    layer_digest: finding.layerDigest,
  }));
  await sql`
    insert into scan_finding (image_digest, key, id, advisory, aliases, purl, kind, package, installed, fixed, fix_state,
      severity, severity_rank, severity_source, cvss_score, cvss_vector, epss, exploited, title, range, layer,
      layer_digest, path, first_generation, last_generation, first_seen, last_seen)
    select digest, key, id, advisory, aliases, purl, kind, package, installed, fixed, fix_state, severity,
      severity_rank, severity_source, cvss_score, cvss_vector, epss, exploited, title, range, layer, layer_digest, path,
      generation, generation, ${now}::timestamptz, ${now}::timestamptz
    from jsonb_to_recordset(${databaseJson(rows)}::jsonb) as r(digest text, generation integer,
      key text, id text, advisory text, aliases jsonb,
      purl text, kind text, package text, installed text, fixed text, fix_state text, severity text,
      severity_rank integer, severity_source text, cvss_score double precision, cvss_vector text,
      epss double precision, exploited boolean, title text, range text, layer integer, layer_digest text, path text)
    on conflict (image_digest, key) do update set
      advisory = excluded.advisory, aliases = excluded.aliases, fixed = excluded.fixed,
      fix_state = excluded.fix_state, severity = excluded.severity, severity_rank = excluded.severity_rank,
      severity_source = excluded.severity_source, cvss_score = excluded.cvss_score,
      cvss_vector = excluded.cvss_vector, epss = excluded.epss, exploited = excluded.exploited,
      title = excluded.title, range = excluded.range, layer = excluded.layer, layer_digest = excluded.layer_digest,
      last_generation = excluded.last_generation, closed_reason = null, last_seen = excluded.last_seen`.execute(
    transaction,
  );
}

async function switchTo(
  transaction: DatabaseTransaction,
  digest: string,
  attempt: number,
  report: ScanReport,
  newPackageHash: string | null,
  now: Date,
): Promise<void> {
  const scanned = report.status === 'finished';
  const current = await holdCurrentEpoch(transaction);
  const epoch = current?.digest === report.advisories.digest ? current.epoch : null;
  await sql`
    update scan_image set matched_epoch = ${epoch}, matched_at = ${now},
      status = ${report.status}, finished_at = ${now}, error_code = null, error_message = null,
      reason = ${report.reason === null ? null : databaseText(report.reason)}, generation = ${attempt},
      package_generation = ${newPackageHash === null ? sql`package_generation` : sql`${attempt}::integer`},
      package_hash = ${newPackageHash ?? sql`package_hash`},
      secret_generation = ${attempt}, secret_count = ${report.secrets?.length ?? null},
      catalogers = ${scanVersions}, platform = ${report.image?.platform ?? null},
      created = ${report.image?.created ?? null},
      distribution = ${report.distribution === null ? null : databaseJson(report.distribution)}::jsonb,
      advisories = ${databaseJson(report.advisories)}::jsonb,
      layers = ${databaseJson(report.image?.layers ?? [])}::jsonb,
      problems = ${databaseJson(keptProblems(report.problems))}::jsonb,
      package_count = ${scanned ? report.packages.length : null},
      counts = ${scanned ? databaseJson(countFindings(report.findings)) : null}::jsonb
    where digest = ${digest} and attempt = ${attempt}`.execute(transaction);
}

/** The first of them, and how many more there are. */
export function keptProblems(problems: readonly ScanProblem[]): readonly ScanProblem[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  const message = `${problems.length - MAX_PROBLEMS} more problems are not kept`;
  return [
    ...problems.slice(0, MAX_PROBLEMS),
    { code: PROBLEM_CODES.tooMany, message, layer: null, path: null },
  ];
}

/** Every severity there is, so that counts always have all of them. */
export const NO_FINDINGS: SeverityCounts = countFindings([]);

/** Sums counts, e.g. of the images of an index. */
export function addCounts(a: SeverityCounts, b: SeverityCounts): SeverityCounts {
  const sum = { ...a };
  for (const severity of SEVERITIES) sum[severity] += b[severity];
  return sum;
}
