// The SQL of scan status: which image is where in its scan, and the switch to a new result.
import { sql } from 'kysely';
import type { Severity } from '../core/index.ts';
import type { Database, DatabaseTransaction } from '../store/index.ts';
import { countExempt } from './exemptions/store.ts';
import { databaseJson, databaseText } from './json-rows.ts';
import {
  MATCHED_COLUMNS,
  MATCHED_JOIN,
  matchedAdvisories,
  matchedAt,
  type MatchedRow,
} from './store-matched.ts';
import type { DistributionRelease, ReportAdvisories, ReportLayer, ScanProblem } from './types.ts';

export const SCAN_STATUSES = ['pending', 'running', 'finished', 'failed', 'unscannable'] as const;
export type ScanStatus = (typeof SCAN_STATUSES)[number];

/** Open findings by severity. */
export type SeverityCounts = Readonly<Record<Severity, number>>;

/** What is stored about the scan of one image digest. */
export interface ImageScan {
  readonly digest: string;
  readonly status: ScanStatus;
  readonly trigger: string;
  readonly requestedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Of the last attempt, when it failed. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Why the image is unscannable. */
  readonly reason: string | null;
  readonly platform: string | null;
  readonly created: string | null;
  readonly distribution: DistributionRelease | null;
  readonly advisories: ReportAdvisories | null;
  readonly layers: readonly ReportLayer[];
  readonly problems: readonly ScanProblem[];
  /** Null while there is no result: "not scanned" is never zero. */
  readonly packageCount: number | null;
  readonly counts: SeverityCounts | null;
  /** Null where secrets were not looked for. */
  readonly secretCount: number | null;
  readonly catalogers: string | null;
  /** When the stored packages were last matched; null while there is no result. */
  readonly matchedAt: string | null;
  /** Does that rest on the newest advisory data? */
  readonly matchedCurrent: boolean;
}

interface ImageScanRow extends MatchedRow {
  readonly digest: string;
  readonly status: ScanStatus;
  readonly trigger: string;
  readonly requested_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly reason: string | null;
  readonly platform: string | null;
  readonly created: string | null;
  readonly distribution: DistributionRelease | null;
  readonly advisories: ReportAdvisories | null;
  readonly layers: readonly ReportLayer[] | null;
  readonly problems: readonly ScanProblem[] | null;
  readonly package_count: number | null;
  readonly counts: SeverityCounts | null;
  readonly secret_count: number | null;
  readonly catalogers: string | null;
}

const COLUMNS = sql`i.digest, status, trigger, requested_at, i.started_at, i.finished_at, error_code, error_message, reason,
  platform, created, distribution, i.advisories, layers, problems, package_count, counts, secret_count, catalogers`;

/** The scan of one digest; undefined when none was asked for yet. */
export async function findScan(db: Database, digest: string): Promise<ImageScan | undefined> {
  return (await findScans(db, [digest])).get(digest);
}

export async function findScans(
  db: Database,
  digests: readonly string[],
): Promise<ReadonlyMap<string, ImageScan>> {
  const { rows } = await sql<ImageScanRow>`
    select ${COLUMNS}, ${MATCHED_COLUMNS} from scan_image i ${MATCHED_JOIN}
    where i.digest in (select jsonb_array_elements_text(${databaseJson(digests)}::jsonb))`.execute(db);
  const scans = new Map(rows.map((row) => [row.digest, scanOf(row)]));
  // Stored counts know nothing of exemptions, which come, change and expire without a scan.
  for (const { digest, severity, count } of await countExempt(db, digests)) {
    const scan = scans.get(digest);
    if (scan === undefined || scan.counts === null) continue;
    const left = Math.max(0, scan.counts[severity] - count);
    scans.set(digest, { ...scan, counts: { ...scan.counts, [severity]: left } });
  }
  return scans;
}

function scanOf(row: ImageScanRow): ImageScan {
  return {
    digest: row.digest,
    status: row.status,
    trigger: row.trigger,
    requestedAt: row.requested_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    reason: row.reason,
    platform: row.platform,
    created: row.created,
    distribution: row.distribution,
    advisories: matchedAdvisories(row),
    layers: row.layers ?? [],
    problems: row.problems ?? [],
    packageCount: row.package_count,
    counts: row.counts,
    secretCount: row.secret_count,
    catalogers: row.catalogers,
    matchedAt: matchedAt(row)?.toISOString() ?? null,
    matchedCurrent: row.matched_is_current,
  };
}

/** Notes that a scan is wanted. A running one stays running. */
export async function markPending(db: Database, digest: string, trigger: string, now: Date): Promise<void> {
  await sql`
    insert into scan_image (digest, status, trigger, requested_at) values (${digest}, 'pending', ${trigger}, ${now})
    on conflict (digest) do update set
      status = case when scan_image.status = 'running' then 'running' else 'pending' end,
      trigger = excluded.trigger, requested_at = excluded.requested_at`.execute(db);
}

/** Starts an attempt and returns its number. An earlier attempt that is still writing is thereby given up. */
export async function beginScan(db: Database, digest: string, trigger: string, now: Date): Promise<number> {
  const { rows } = await sql<{ readonly attempt: number }>`
    insert into scan_image (digest, status, trigger, requested_at, started_at, attempt)
    values (${digest}, 'running', ${trigger}, ${now}, ${now}, 1)
    on conflict (digest) do update set
      status = 'running', trigger = excluded.trigger, started_at = excluded.started_at,
      attempt = scan_image.attempt + 1
    returning attempt`.execute(db);
  return rows[0]?.attempt ?? 0;
}

/** Ends an attempt without a result. Earlier results stay visible. */
export async function failScan(
  db: Database,
  digest: string,
  attempt: number,
  outcome: {
    readonly status: 'failed' | 'pending';
    readonly code: string;
    readonly message: string;
    readonly now: Date;
  },
): Promise<void> {
  const { status, code, message, now } = outcome;
  await sql`
    update scan_image set status = ${status}, error_code = ${code}, error_message = ${databaseText(message)},
      finished_at = ${status === 'failed' ? now : null}
    where digest = ${digest} and attempt = ${attempt}`.execute(db);
}

/** Is this attempt still the one that may write? Locks the image's row for the transaction. */
export async function holdsAttempt(
  transaction: DatabaseTransaction,
  digest: string,
  attempt: number,
): Promise<boolean> {
  const { rows } = await sql<{ readonly attempt: number }>`
    select attempt from scan_image where digest = ${digest} for update`.execute(transaction);
  return rows[0]?.attempt === attempt;
}

/** Digests whose scan has not ended: after a restart nobody may be working on them any more. */
export async function findUnfinished(db: Database, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly digest: string }>`
    select digest from scan_image where status in ('pending', 'running') order by digest limit ${limit}`.execute(
    db,
  );
  return rows.map((row) => row.digest);
}

/** Replaces what is known of the images in an index. */
export async function recordIndex(db: Database, index: string, children: readonly string[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`delete from scan_index_child where index_digest = ${index}`.execute(transaction);
    await sql`
      insert into scan_index_child (index_digest, child_digest)
      select distinct ${index}::text, child from jsonb_array_elements_text(${databaseJson(children)}::jsonb) as child`.execute(
      transaction,
    );
  });
}

/** The indexes known to hold an image. */
export async function findIndexesOf(db: Database, child: string): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly index_digest: string }>`
    select index_digest from scan_index_child where child_digest = ${child} order by 1 limit 100`.execute(db);
  return rows.map((row) => row.index_digest);
}
