// The SQL of manifests and tags: look up, store, delete.
import { batches } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import { findRepository } from './store.ts';
import type { EdgeKind, ManifestKind, RegistryTables } from './tables.ts';

export interface StoredManifest {
  readonly mediaType: string;
  readonly body: Buffer;
}

export interface ManifestEdge {
  readonly child: string;
  readonly kind: EdgeKind;
  readonly platform: string | null;
}

export interface NewManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly kind: ManifestKind;
  readonly artifactType: string | null;
  readonly subject: string | null;
  readonly referrer: string | null;
  readonly body: Buffer;
  /** Bytes of the manifest and of what it refers to directly. */
  readonly totalSize: number;
  readonly edges: readonly ManifestEdge[];
}

/** The digest a tag stands for. */
export async function findTag(db: Database, repository: string, tag: string): Promise<string | undefined> {
  const row = await db
    .withTables<RegistryTables>()
    .selectFrom('registry_tag as tag')
    .innerJoin('registry_repository as repository', 'repository.id', 'tag.repository_id')
    .select('tag.digest')
    .where('repository.name', '=', repository)
    .where('tag.name', '=', tag)
    .executeTakeFirst();
  return row?.digest;
}

/** A manifest as one repository holds it. */
export async function findManifest(
  db: Database,
  repository: string,
  digest: string,
): Promise<StoredManifest | undefined> {
  const row = await db
    .withTables<RegistryTables>()
    .selectFrom('registry_manifest as manifest')
    .innerJoin('registry_repository as repository', 'repository.id', 'manifest.repository_id')
    .select(['manifest.media_type', 'manifest.body'])
    .where('repository.name', '=', repository)
    .where('manifest.digest', '=', digest)
    .executeTakeFirst();
  return row && { mediaType: row.media_type, body: row.body };
}

/** Stores a manifest; pushing it again renews its time. True when it was not there before. */
export async function storeManifest(
  db: Database,
  repositoryId: number,
  manifest: NewManifest,
  actor: string,
  at: Date,
): Promise<boolean> {
  const tables = db.withTables<RegistryTables>();
  const known = await tables
    .updateTable('registry_manifest')
    .set({ pushed_at: at, pushed_by: actor })
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', manifest.digest)
    .returning('digest')
    .executeTakeFirst();
  if (known !== undefined) return false;
  const made = await tables
    .insertInto('registry_manifest')
    .values({
      repository_id: repositoryId,
      digest: manifest.digest,
      media_type: manifest.mediaType,
      kind: manifest.kind,
      artifact_type: manifest.artifactType,
      subject: manifest.subject,
      referrer: manifest.referrer,
      body: manifest.body,
      size: manifest.body.length,
      total_size: manifest.totalSize,
      pushed_at: at,
      pushed_by: actor,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('digest')
    .executeTakeFirst();
  if (made === undefined) return false;
  // An image has at most MAX_LAYERS edges; they belong to the manifest's own transaction, so that no half is seen.
  const edges = manifest.edges.map((edge, position) => ({
    repository_id: repositoryId,
    parent: manifest.digest,
    position,
    child: edge.child,
    kind: edge.kind,
    platform: edge.platform,
  }));
  for (const batch of batches(edges)) {
    await tables
      .insertInto('registry_manifest_edge')
      .values([...batch])
      .execute();
  }
  return true;
}

export interface TagMove {
  readonly tag: string;
  /** What the tag stood for before, null when it is new. */
  readonly previous: string | null;
}

/**
 * Reads what the tags stand for now; absent tags are not in the map. Until the transaction ends nobody else sets a tag
 * in this repository: a tag that does not exist yet cannot be locked itself, and what it stood for before must be
 * known for certain.
 */
export async function readTagsLocked(
  db: Database,
  repositoryId: number,
  tags: readonly string[],
): Promise<Map<string, string>> {
  if (tags.length === 0) return new Map();
  const tables = db.withTables<RegistryTables>();
  await tables
    .selectFrom('registry_repository')
    .select('id')
    .where('id', '=', repositoryId)
    .forNoKeyUpdate()
    .execute();
  const rows = await tables
    .selectFrom('registry_tag')
    .select(['name', 'digest'])
    .where('repository_id', '=', repositoryId)
    .where('name', 'in', tags)
    .execute();
  return new Map(rows.map((row) => [row.name, row.digest]));
}

/** Points tags at a manifest. */
export async function setTags(
  db: Database,
  repositoryId: number,
  tags: readonly string[],
  digest: string,
  actor: string,
  at: Date,
): Promise<void> {
  if (tags.length === 0) return;
  await db
    .withTables<RegistryTables>()
    .insertInto('registry_tag')
    .values(
      tags.map((name) => ({ repository_id: repositoryId, name, digest, pushed_at: at, pushed_by: actor })),
    )
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'name']).doUpdateSet({ digest, pushed_at: at, pushed_by: actor }),
    )
    .execute();
}

/** Deletes a tag and leaves its manifest. Resolves to the digest it stood for. */
export async function deleteTag(db: Database, repository: string, tag: string): Promise<string | undefined> {
  const repositoryId = await findRepository(db, repository);
  if (repositoryId === undefined) return undefined;
  const row = await db
    .withTables<RegistryTables>()
    .deleteFrom('registry_tag')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', tag)
    .returning('digest')
    .executeTakeFirst();
  return row?.digest;
}

/** Deletes a manifest with its tags. Resolves to the tags that went, undefined when there was no such manifest. */
export async function deleteManifest(
  db: Database,
  repository: string,
  digest: string,
): Promise<readonly string[] | undefined> {
  const tables = db.withTables<RegistryTables>();
  const repositoryId = await findRepository(db, repository);
  if (repositoryId === undefined) return undefined;
  // The row first: a push that tags this manifest at the same time either comes before and loses its tag, or fails.
  const held = await tables
    .selectFrom('registry_manifest')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .forUpdate()
    .executeTakeFirst();
  if (held === undefined) return undefined;
  const tags = await tables
    .deleteFrom('registry_tag')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .returning('name')
    .execute();
  await tables
    .deleteFrom('registry_manifest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .execute();
  return tags.map((row) => row.name);
}
