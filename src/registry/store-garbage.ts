// The SQL of garbage collection, in batches of at most `MAX_ROWS_PER_TRANSACTION` rows.
import { sql } from 'kysely';
import { MAX_ROWS_PER_TRANSACTION } from '../core/index.ts';
import type { Database } from '../store/index.ts';

export interface ObsoleteLink {
  readonly repository: string;
  readonly digest: string;
}

/**
 * Takes blobs out of repositories where no manifest names them and nobody touched them since `before`.
 * A push touches the links it is about to use, so a link that is deleted here is one no push is counting on.
 */
export async function unlinkUnused(db: Database, before: Date): Promise<ObsoleteLink[]> {
  const result = await sql<{ name: string; digest: string }>`
    DELETE FROM registry_blob_link link USING registry_repository repository
    WHERE repository.id = link.repository_id
      AND link.touched_at < ${before}
      AND NOT EXISTS (
        SELECT 1 FROM registry_manifest_edge edge
        WHERE edge.repository_id = link.repository_id AND edge.child = link.digest)
      AND (link.repository_id, link.digest) IN (
        SELECT old.repository_id, old.digest FROM registry_blob_link old
        WHERE old.touched_at < ${before}
          AND NOT EXISTS (
            SELECT 1 FROM registry_manifest_edge edge
            WHERE edge.repository_id = old.repository_id AND edge.child = old.digest)
        LIMIT ${MAX_ROWS_PER_TRANSACTION}
        FOR UPDATE SKIP LOCKED)
    RETURNING repository.name, link.digest`.execute(db);
  return result.rows.map((row) => ({ repository: row.name, digest: row.digest }));
}

/** Marks blobs that no repository holds and nobody touched since `before`. Resolves to how many were marked. */
export async function doomBlobs(db: Database, before: Date, at: Date): Promise<number> {
  const result = await sql<{ digest: string }>`
    UPDATE registry_blob SET doomed_at = ${at}
    WHERE doomed_at IS NULL AND touched_at < ${before}
      AND digest IN (
        SELECT blob.digest FROM registry_blob blob
        WHERE blob.doomed_at IS NULL AND blob.touched_at < ${before}
          AND NOT EXISTS (SELECT 1 FROM registry_blob_link link WHERE link.digest = blob.digest)
        LIMIT ${MAX_ROWS_PER_TRANSACTION}
        FOR UPDATE SKIP LOCKED)
    RETURNING digest`.execute(db);
  return result.rows.length;
}

export interface DeletedBlob {
  readonly digest: string;
  readonly objectId: string;
  readonly size: number;
}

/**
 * Deletes the rows of blobs marked before `before` that are still marked and still nowhere linked. Their objects are
 * to be removed after the commit.
 */
export async function deleteDoomed(db: Database, before: Date): Promise<DeletedBlob[]> {
  const result = await sql<{ digest: string; object_id: string; size: number }>`
    DELETE FROM registry_blob
    WHERE doomed_at < ${before}
      AND NOT EXISTS (SELECT 1 FROM registry_blob_link link WHERE link.digest = registry_blob.digest)
      AND digest IN (
        SELECT digest FROM registry_blob WHERE doomed_at < ${before}
        LIMIT ${MAX_ROWS_PER_TRANSACTION}
        FOR UPDATE SKIP LOCKED)
    RETURNING digest, object_id, size`.execute(db);
  return result.rows.map((row) => ({ digest: row.digest, objectId: row.object_id, size: row.size }));
}

export interface ExpiredUpload {
  readonly id: string;
  readonly objectId: string | null;
}

/** Deletes the rows of uploads nobody touched since `before`; a running upload touches its row every few minutes. */
export async function deleteExpiredUploads(db: Database, before: Date): Promise<ExpiredUpload[]> {
  const result = await sql<{ id: string; object_id: string | null }>`
    DELETE FROM registry_upload
    WHERE touched_at < ${before}
      AND id IN (
        SELECT id FROM registry_upload WHERE touched_at < ${before}
        LIMIT ${MAX_ROWS_PER_TRANSACTION}
        FOR UPDATE SKIP LOCKED)
    RETURNING id, object_id`.execute(db);
  return result.rows.map((row) => ({ id: row.id, objectId: row.object_id }));
}

/** Which of these objects neither a blob nor an upload refers to. One statement: an object moves from one to the other. */
export async function findOrphans(db: Database, objectIds: readonly string[]): Promise<string[]> {
  if (objectIds.length === 0) return [];
  const result = await sql<{ object_id: string }>`
    SELECT object_id FROM registry_blob WHERE object_id IN (${sql.join(objectIds)})
    UNION ALL
    SELECT object_id FROM registry_upload WHERE object_id IN (${sql.join(objectIds)})`.execute(db);
  const known = new Set(result.rows.map((row) => row.object_id));
  return objectIds.filter((id) => !known.has(id));
}

/** Is a backup reading the stored objects, so that none of them may go? */
export async function isHeldByBackup(db: Database, now: Date): Promise<boolean> {
  const result = await sql<{ held: boolean }>`
    SELECT EXISTS (SELECT 1 FROM backup_hold WHERE expires_at > ${now}) AS held`.execute(db);
  return result.rows[0]?.held === true;
}
