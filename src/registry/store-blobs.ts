// The SQL of blobs: which contents are stored, and which repository holds which.
import { sql } from 'kysely';
import type { Database } from '../store/index.ts';
import { ensureRepository } from './store.ts';
import type { RegistryTables } from './tables.ts';

export interface StoredBlob {
  readonly objectId: string;
  /** Bytes. */
  readonly size: number;
}

/** A blob as one repository holds it. Undefined when that repository does not hold it. */
export async function findBlob(
  db: Database,
  repository: string,
  digest: string,
): Promise<StoredBlob | undefined> {
  const row = await db
    .withTables<RegistryTables>()
    .selectFrom('registry_blob_link as link')
    .innerJoin('registry_repository as repository', 'repository.id', 'link.repository_id')
    .innerJoin('registry_blob as blob', 'blob.digest', 'link.digest')
    .select(['blob.object_id', 'blob.size'])
    .where('repository.name', '=', repository)
    .where('link.digest', '=', digest)
    .executeTakeFirst();
  return row && { objectId: row.object_id, size: row.size };
}

/** Links a stored blob to a repository, reviving it if garbage collection has doomed it. False when it is not stored. */
export async function linkBlob(db: Database, repository: string, digest: string, at: Date): Promise<boolean> {
  const tables = db.withTables<RegistryTables>();
  // The update locks the row: a collector that wants to delete it waits, then finds it no longer doomed.
  const revived = await tables
    .updateTable('registry_blob')
    .set({ doomed_at: null, touched_at: at })
    .where('digest', '=', digest)
    .returning('digest')
    .executeTakeFirst();
  if (revived === undefined) return false;
  const repositoryId = await ensureRepository(db, repository, at);
  await tables
    .insertInto('registry_blob_link')
    .values({ repository_id: repositoryId, digest, touched_at: at })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet({ touched_at: at }))
    .execute();
  return true;
}

/**
 * Records a stored object as the content of `digest` and links it. When that content is stored already, the object
 * recorded first stays: the result says which one counts.
 */
export async function storeBlob(
  db: Database,
  blob: {
    readonly repository: string;
    readonly digest: string;
    readonly size: number;
    readonly objectId: string;
    readonly at: Date;
  },
): Promise<{ readonly objectId: string }> {
  const kept = await db
    .withTables<RegistryTables>()
    .insertInto('registry_blob')
    .values({
      digest: blob.digest,
      size: blob.size,
      object_id: blob.objectId,
      doomed_at: null,
      touched_at: blob.at,
    })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet({ doomed_at: null, touched_at: blob.at }))
    .returning('object_id')
    .executeTakeFirstOrThrow();
  await linkBlob(db, blob.repository, blob.digest, blob.at);
  return { objectId: kept.object_id };
}

/** Replaces the object of a blob whose bytes were found missing. False when somebody else was first. */
export async function replaceBlobObject(
  db: Database,
  digest: string,
  lost: string,
  replacement: string,
): Promise<boolean> {
  const row = await db
    .withTables<RegistryTables>()
    .updateTable('registry_blob')
    .set({ object_id: replacement })
    .where('digest', '=', digest)
    .where('object_id', '=', lost)
    .returning('digest')
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes a blob out of a repository; its bytes go with garbage collection. False when it was not there. */
export async function unlinkBlob(db: Database, repository: string, digest: string): Promise<boolean> {
  const row = await db
    .withTables<RegistryTables>()
    .deleteFrom('registry_blob_link')
    .where('digest', '=', digest)
    .where('repository_id', '=', sql<number>`(SELECT id FROM registry_repository WHERE name = ${repository})`)
    .returning('digest')
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Which of the digests the repository does not hold. Links last touched before `staleBefore` are touched, so that
 * garbage collection leaves them to the manifest that is about to name them.
 */
export async function findMissingBlobs(
  db: Database,
  repositoryId: number | undefined,
  digests: readonly string[],
  staleBefore: Date,
  at: Date,
): Promise<string[]> {
  if (digests.length === 0) return [];
  if (repositoryId === undefined) return [...digests];
  const tables = db.withTables<RegistryTables>();
  const links = await tables
    .selectFrom('registry_blob_link')
    .select(['digest', 'touched_at'])
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute();
  const held = new Set(links.map((link) => link.digest));
  const stale = links
    .filter((link) => new Date(link.touched_at) < staleBefore)
    .map((link) => link.digest)
    .sort();
  if (stale.length > 0) {
    // Locked in one order, so that two pushes that share layers do not deadlock.
    await sql`SELECT digest FROM registry_blob_link
      WHERE repository_id = ${repositoryId} AND digest IN (${sql.join(stale)})
      ORDER BY digest FOR UPDATE`.execute(db);
    const touched = await tables
      .updateTable('registry_blob_link')
      .set({ touched_at: at })
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', stale)
      .returning('digest')
      .execute();
    const kept = new Set(touched.map((link) => link.digest));
    for (const digest of stale) if (!kept.has(digest)) held.delete(digest);
  }
  return digests.filter((digest) => !held.has(digest));
}
