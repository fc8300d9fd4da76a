// The SQL that writes what new advisory data changed: findings, counts and problems of many images at a time.
import { sql } from 'kysely';
import { MAX_ROWS_PER_TRANSACTION } from '../core/index.ts';
import type { Database, DatabaseTransaction } from '../store/index.ts';
import type { ImageChange } from './continuous/change.ts';
import { databaseJson } from './json-rows.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { holdCurrentEpoch } from './store-epochs.ts';
import { findingKey, keptProblems, upsertFindings } from './store-results.ts';
import type { SeverityCounts } from './store.ts';
import type { ScanProblem } from './types.ts';

interface ImageRow {
  readonly digest: string;
  readonly generation: number;
  readonly counts: SeverityCounts | null;
  readonly problems: readonly ScanProblem[] | null;
}

export interface WrittenChanges {
  /** Images whose rows were changed. */
  readonly changed: readonly ImageChange[];
  /** Rows written. */
  readonly rows: number;
}

/**
 * Writes changes in transactions of at most 500 rows. An image that a scan gave a new result in the meantime is left
 * alone: that result was matched by itself. Images without a change cost no row.
 */
export async function writeChanges(
  db: Database,
  changes: readonly ImageChange[],
  now: Date,
  onWritten: (written: WrittenChanges) => Promise<void>,
): Promise<void> {
  for (const part of parts(changes)) {
    const written = await db.transaction().execute((transaction) => writePart(transaction, part, now));
    await onWritten(written);
  }
}

/** The changes in runs that fit one transaction; a single image with more changes than that is cut. */
function* parts(changes: readonly ImageChange[]): Generator<readonly ImageChange[]> {
  let part: ImageChange[] = [];
  let size = 0;
  for (const change of changes.flatMap(pieces)) {
    const rows = rowsOf(change);
    if (size + rows > MAX_ROWS_PER_TRANSACTION && part.length > 0) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(change);
    size += rows;
  }
  if (part.length > 0) yield part;
}

function rowsOf({ opened, updated, closed }: ImageChange): number {
  return opened.length + updated.length + closed.length + 1;
}

function pieces(change: ImageChange): readonly ImageChange[] {
  const size = MAX_ROWS_PER_TRANSACTION - 1;
  if (rowsOf(change) <= size) return [change];
  const { opened, updated, closed } = change;
  const count = Math.ceil(Math.max(opened.length, updated.length, closed.length) / Math.floor(size / 3));
  const cut = <T>(list: readonly T[], index: number): readonly T[] =>
    list.slice(index * Math.floor(size / 3), (index + 1) * Math.floor(size / 3));
  return Array.from({ length: count }, (_, index) => ({
    ...change,
    opened: cut(opened, index),
    updated: cut(updated, index),
    closed: cut(closed, index),
  }));
}

async function writePart(
  transaction: DatabaseTransaction,
  changes: readonly ImageChange[],
  now: Date,
): Promise<WrittenChanges> {
  const digests = changes.map((change) => change.digest).toSorted();
  // In the order of the digests, so that two transactions never wait for each other's rows.
  const { rows } = await sql<ImageRow>`
    select digest, generation, counts, problems from scan_image
    where digest in (select jsonb_array_elements_text(${databaseJson(digests)}::jsonb))
    order by digest for update`.execute(transaction);
  const images = new Map(rows.map((row) => [row.digest, row]));
  const valid = changes.filter((change) => images.get(change.digest)?.generation === change.generation);
  await upsertFindings(
    transaction,
    valid.flatMap(({ digest, generation, opened, updated }) =>
      [...opened, ...updated.map(({ finding }) => finding)].map((finding) => ({
        digest,
        generation,
        finding,
      })),
    ),
    now,
  );
  await closeFindings(transaction, valid);
  const updates = valid.flatMap((change) => {
    const image = images.get(change.digest);
    return image === undefined ? [] : (imageUpdate(image, change) ?? []);
  });
  await updateImages(transaction, updates);
  const changed = valid.filter(isChange);
  return { changed, rows: changed.reduce((sum, change) => sum + rowsOf(change) - 1, updates.length) };
}

function isChange({ opened, updated, closed }: ImageChange): boolean {
  return opened.length + updated.length + closed.length > 0;
}

/** A closed finding was last seen by the generation before the one that is shown. */
async function closeFindings(
  transaction: DatabaseTransaction,
  changes: readonly ImageChange[],
): Promise<void> {
  const rows = changes.flatMap(({ digest, generation, closed }) =>
    closed.map(({ finding, reason }) => ({ digest, last: generation - 1, key: findingKey(finding), reason })),
  );
  if (rows.length === 0) return;
  await sql`
    update scan_finding f set last_generation = r.last, closed_reason = r.reason
    from jsonb_to_recordset(${databaseJson(rows)}::jsonb) as r(digest text, last integer, key text, reason text)
    where f.image_digest = r.digest and f.key = r.key`.execute(transaction);
}

interface ImageUpdate {
  readonly digest: string;
  readonly counts: SeverityCounts | null;
  readonly problems: readonly ScanProblem[];
}

/** The image's row, when its counts or problems change. */
function imageUpdate(image: ImageRow, change: ImageChange): ImageUpdate | undefined {
  const counts: Record<keyof SeverityCounts, number> | null = image.counts && { ...image.counts };
  if (counts !== null) {
    for (const { severity } of change.opened) counts[severity]++;
    for (const { finding } of change.closed) counts[finding.severity]--;
    for (const { before, finding } of change.updated) {
      counts[before.severity]--;
      counts[finding.severity]++;
    }
  }
  const before = image.problems ?? [];
  const problems = keptProblems([
    ...before.filter((problem) => !isOfMatched(problem, change)),
    ...change.undecided,
  ]);
  const same =
    JSON.stringify(counts) === JSON.stringify(image.counts) && sortedJson(problems) === sortedJson(before);
  return same ? undefined : { digest: image.digest, counts, problems };
}

function sortedJson(problems: readonly ScanProblem[]): string {
  return problems
    .map(({ code, message, layer, path }) => JSON.stringify([code, message, layer, path]))
    .toSorted()
    .join();
}

/** Was it said of a package that has been matched again? */
function isOfMatched({ code, layer, path, message }: ScanProblem, { matched }: ImageChange): boolean {
  if (code !== PROBLEM_CODES.versionUnknown) return false;
  return matched.some(
    (item) => item.layer === layer && item.path === path && message.includes(` of ${item.name} `),
  );
}

async function updateImages(
  transaction: DatabaseTransaction,
  updates: readonly ImageUpdate[],
): Promise<void> {
  if (updates.length === 0) return;
  await sql`
    update scan_image i set counts = nullif(r.counts, 'null'::jsonb), problems = r.problems
    from jsonb_to_recordset(${databaseJson(updates)}::jsonb) as r(digest text, counts jsonb, problems jsonb)
    where i.digest = r.digest`.execute(transaction);
}

/** Replaces what readers of results must know about the data, where it is different now. */
export async function writeNotices(
  db: Database,
  images: readonly {
    readonly digest: string;
    readonly generation: number;
    readonly notices: readonly string[];
  }[],
): Promise<void> {
  const rows = images.map(({ digest, generation, notices }) => ({ digest, generation, notices }));
  await sql`
    update scan_image i set advisories = jsonb_set(i.advisories, '{notices}', r.notices)
    from jsonb_to_recordset(${databaseJson(rows)}::jsonb) as r(digest text, generation integer, notices jsonb)
    where i.digest = r.digest and i.generation = r.generation and i.status <> 'unscannable'
      and i.advisories -> 'notices' is distinct from r.notices`.execute(db);
}

/** Notes that all of an image was matched with the newest data; false when there is newer data or a newer result. */
export async function markMatched(
  db: Database,
  image: { readonly digest: string; readonly generation: number },
  advisories: { readonly digest: string; readonly notices: readonly string[] },
  now: Date,
): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    const { rows } = await sql`
      select 1 from scan_image where digest = ${image.digest} and generation = ${image.generation} for update`.execute(
      transaction,
    );
    const epoch = await holdCurrentEpoch(transaction);
    if (rows.length === 0 || epoch?.digest !== advisories.digest) return false;
    await sql`
      update scan_image set matched_epoch = ${epoch.epoch}, matched_at = ${now},
        advisories = jsonb_set(advisories, '{notices}', ${databaseJson(advisories.notices)}::jsonb)
      where digest = ${image.digest}`.execute(transaction);
    return true;
  });
}
