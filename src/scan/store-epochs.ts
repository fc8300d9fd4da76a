// The SQL of epochs: which advisory data all images were matched with, in order.
import { sql } from 'kysely';
import type { AdvisoryFileInfo } from '../advisories/index.ts';
import type { Database, DatabaseTransaction } from '../store/index.ts';

export interface AdvisoryEpoch {
  readonly epoch: number;
  /** Identity of the advisory data. */
  readonly digest: string;
  readonly finished: boolean;
}

interface EpochRow {
  readonly epoch: number;
  readonly digest: string;
  readonly finished_at: Date | null;
}

/** The newest epoch; undefined before the first. */
export async function currentEpoch(db: Database): Promise<AdvisoryEpoch | undefined> {
  return newestEpoch(db);
}

/** The data that every covered image was matched with, completely, and how many epochs since then were not ended. */
export async function lastFinished(
  db: Database,
): Promise<{ readonly digest: string; readonly skipped: number } | undefined> {
  const { rows } = await sql<{ readonly digest: string; readonly skipped: number }>`
    select e.digest,
      (select count(*) from scan_advisory_epoch later
        where later.epoch > e.epoch and later.epoch < (select epoch from scan_advisory_current where id = 1)) as skipped
    from scan_advisory_epoch e where e.finished_at is not null order by e.epoch desc limit 1`.execute(db);
  return rows[0];
}

/**
 * Begins an epoch. From its commit on no scan can end as matched with the data before. The first epoch is finished at
 * once when `finished` says that there is nothing before it to match again.
 */
export async function beginEpoch(
  db: Database,
  info: AdvisoryFileInfo,
  now: Date,
  finished = false,
): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    await sql`select epoch from scan_advisory_current where id = 1 for update`.execute(transaction);
    const newest = await newestEpoch(transaction);
    if (newest !== undefined && newest.digest === info.digest) return newest.epoch;
    const { rows } = await sql<{ readonly epoch: number }>`
      insert into scan_advisory_epoch (digest, kind, built_at, advisories, started_at, finished_at)
      values (${info.digest}, ${info.kind}, ${new Date(info.builtAt)}, ${info.advisories}, ${now},
        ${finished ? now : null})
      returning epoch`.execute(transaction);
    const epoch = rows[0]?.epoch ?? 0;
    await sql`update scan_advisory_current set epoch = ${epoch} where id = 1`.execute(transaction);
    return epoch;
  });
}

/** Ends an epoch: all images it concerns are matched. */
export async function finishEpoch(
  db: Database,
  epoch: number,
  counts: { readonly touchedPackages: number | null; readonly changedImages: number },
  now: Date,
): Promise<void> {
  await sql`
    update scan_advisory_epoch set finished_at = ${now}, touched_packages = ${counts.touchedPackages},
      changed_images = ${counts.changedImages}
    where epoch = ${epoch} and finished_at is null`.execute(db);
}

/** The newest epoch, which cannot change until the transaction ends. */
export async function holdCurrentEpoch(transaction: DatabaseTransaction): Promise<AdvisoryEpoch | undefined> {
  await sql`select epoch from scan_advisory_current where id = 1 for share`.execute(transaction);
  return newestEpoch(transaction);
}

async function newestEpoch(db: Database | DatabaseTransaction): Promise<AdvisoryEpoch | undefined> {
  const { rows } = await sql<EpochRow>`
    select e.epoch, e.digest, e.finished_at
    from scan_advisory_current c join scan_advisory_epoch e on e.epoch = c.epoch
    where c.id = 1`.execute(db);
  const [row] = rows;
  return row && { epoch: row.epoch, digest: row.digest, finished: row.finished_at !== null };
}
