// The SQL of upload sessions: what is known to be durable of each, for whoever resumes it.
import type { Database } from '../store/index.ts';
import type { DigestAlgorithm } from '../oci/index.ts';
import type { RegistryTables } from './tables.ts';

export interface UploadRow {
  readonly id: string;
  readonly repository: string;
  /** Name of the subject that started it; nobody else may use it. */
  readonly owner: string;
  readonly objectId: string | null;
  readonly algorithm: DigestAlgorithm;
  /** Bytes known to be durable. */
  readonly size: number;
  /** Changes with every accepted change, so that two processes cannot both go on with one session. */
  readonly revision: number;
}

export async function insertUpload(db: Database, upload: UploadRow, at: Date): Promise<void> {
  await db
    .withTables<RegistryTables>()
    .insertInto('registry_upload')
    .values({
      id: upload.id,
      repository: upload.repository,
      owner: upload.owner,
      object_id: upload.objectId,
      algorithm: upload.algorithm,
      size: upload.size,
      revision: upload.revision,
      touched_at: at,
    })
    .execute();
}

export async function findUpload(db: Database, id: string): Promise<UploadRow | undefined> {
  const row = await db
    .withTables<RegistryTables>()
    .selectFrom('registry_upload')
    .select(['id', 'repository', 'owner', 'object_id', 'algorithm', 'size', 'revision'])
    .where('id', '=', id)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      repository: row.repository,
      owner: row.owner,
      objectId: row.object_id,
      algorithm: row.algorithm === 'sha512' ? 'sha512' : 'sha256',
      size: row.size,
      revision: row.revision,
    }
  );
}

/** Records a new durable size. False when another process has changed the session since `revision`. */
export async function advanceUpload(
  db: Database,
  upload: { readonly id: string; readonly revision: number },
  change: { readonly objectId: string; readonly size: number; readonly at: Date },
): Promise<boolean> {
  const row = await db
    .withTables<RegistryTables>()
    .updateTable('registry_upload')
    .set({
      object_id: change.objectId,
      size: change.size,
      revision: upload.revision + 1,
      touched_at: change.at,
    })
    .where('id', '=', upload.id)
    .where('revision', '=', upload.revision)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Forgets a session. False when another request has ended or changed it since `revision`: its object is not the caller's then. */
export async function deleteUpload(
  db: Database,
  upload: { readonly id: string; readonly revision: number },
): Promise<boolean> {
  const row = await db
    .withTables<RegistryTables>()
    .deleteFrom('registry_upload')
    .where('id', '=', upload.id)
    .where('revision', '=', upload.revision)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
