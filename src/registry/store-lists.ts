// The SQL of lists: tags, repositories, referrers, and the manifests to warm the caches with.
import { sql } from 'kysely';
import type { Database } from '../store/index.ts';
import { isoTime } from './tables.ts';
import type { RegistryTables } from './tables.ts';

/** Tag names after `last`, in the order of their bytes. */
export async function listTags(
  db: Database,
  repositoryId: number,
  page: { readonly after: string | null; readonly limit: number },
): Promise<string[]> {
  let query = db
    .withTables<RegistryTables>()
    .selectFrom('registry_tag')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .orderBy('name')
    .limit(page.limit);
  if (page.after !== null) query = query.where('name', '>', page.after);
  return (await query.execute()).map((row) => row.name);
}

/** Names of repositories that hold at least one manifest, after `last`. */
export async function listRepositoryNames(
  db: Database,
  page: { readonly after: string | null; readonly limit: number },
): Promise<string[]> {
  let query = db
    .withTables<RegistryTables>()
    .selectFrom('registry_repository as repository')
    .select('repository.name')
    .where((expression) =>
      expression.exists(
        expression
          .selectFrom('registry_manifest as manifest')
          .select(sql`1`.as('one'))
          .whereRef('manifest.repository_id', '=', 'repository.id'),
      ),
    )
    .orderBy('repository.name')
    .limit(page.limit);
  if (page.after !== null) query = query.where('repository.name', '>', page.after);
  return (await query.execute()).map((row) => row.name);
}

export interface ReferrerSize {
  readonly digest: string;
  /** Bytes of the descriptor. */
  readonly size: number;
}

/** The manifests whose subject is `subject`, after a digest, with the size of their descriptors. */
export async function listReferrers(
  db: Database,
  repository: string,
  subject: string,
  page: { readonly artifactType: string | null; readonly after: string | null; readonly limit: number },
): Promise<{ readonly repositoryId: number; readonly sizes: readonly ReferrerSize[] }> {
  let query = db
    .withTables<RegistryTables>()
    .selectFrom('registry_manifest as manifest')
    .innerJoin('registry_repository as repository', 'repository.id', 'manifest.repository_id')
    .select([
      'manifest.digest',
      'manifest.repository_id',
      sql<number>`octet_length(manifest.referrer)`.as('size'),
    ])
    .where('repository.name', '=', repository)
    .where('manifest.subject', '=', subject)
    .orderBy('manifest.digest')
    .limit(page.limit);
  if (page.after !== null) query = query.where('manifest.digest', '>', page.after);
  if (page.artifactType !== null) query = query.where('manifest.artifact_type', '=', page.artifactType);
  const rows = await query.execute();
  return {
    repositoryId: rows[0]?.repository_id ?? 0,
    sizes: rows.map((row) => ({ digest: row.digest, size: row.size })),
  };
}

/** The referrer descriptors of these manifests as JSON texts, in the order of their digests. */
export async function readReferrers(
  db: Database,
  repositoryId: number,
  digests: readonly string[],
): Promise<string[]> {
  if (digests.length === 0) return [];
  const rows = await db
    .withTables<RegistryTables>()
    .selectFrom('registry_manifest')
    .select('referrer')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .orderBy('digest')
    .execute();
  return rows.flatMap((row) => (row.referrer === null ? [] : [row.referrer]));
}

export interface WarmManifest {
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly body: Buffer;
  readonly tags: readonly string[];
  /** Where its blobs lie. */
  readonly blobs: readonly { readonly digest: string; readonly objectId: string; readonly size: number }[];
}

/** The manifests most likely to be asked for next: the last pulled or pushed ones that are not large. */
export async function listWarmManifests(
  db: Database,
  options: { readonly limit: number; readonly maxBytes: number; readonly offset: number },
): Promise<WarmManifest[]> {
  const rows = await sql<{
    repository: string;
    digest: string;
    media_type: string;
    body: Buffer;
    tags: string[] | null;
    blobs: { digest: string; objectId: string; size: number }[] | null;
  }>`
    SELECT repository.name AS repository, manifest.digest, manifest.media_type, manifest.body,
      (SELECT array_agg(tag.name) FROM registry_tag tag
        WHERE tag.repository_id = manifest.repository_id AND tag.digest = manifest.digest) AS tags,
      (SELECT json_agg(json_build_object('digest', blob.digest, 'objectId', blob.object_id, 'size', blob.size))
        FROM registry_manifest_edge edge
        JOIN registry_blob_link link ON link.repository_id = edge.repository_id AND link.digest = edge.child
        JOIN registry_blob blob ON blob.digest = link.digest
        WHERE edge.repository_id = manifest.repository_id AND edge.parent = manifest.digest) AS blobs
    FROM registry_manifest manifest
    JOIN registry_repository repository ON repository.id = manifest.repository_id
    LEFT JOIN registry_pull pull ON pull.repository_id = manifest.repository_id AND pull.digest = manifest.digest
    WHERE manifest.size <= ${options.maxBytes}
    ORDER BY greatest(pull.last_pulled_at, manifest.pushed_at) DESC, manifest.digest
    LIMIT ${options.limit} OFFSET ${options.offset}`.execute(db);
  return rows.rows.map((row) => ({
    repository: row.repository,
    digest: row.digest,
    mediaType: row.media_type,
    body: row.body,
    tags: row.tags ?? [],
    blobs: row.blobs ?? [],
  }));
}

export interface RepositorySummary {
  readonly name: string;
  readonly tags: number;
  readonly manifests: number;
  /** Bytes of the distinct blobs the repository holds. */
  readonly size: number;
  readonly lastPushedAt: string | null;
  readonly lastPulledAt: string | null;
}

/** Repositories with their counts, by name. */
export async function summarizeRepositories(
  db: Database,
  page: { readonly after: string | null; readonly limit: number },
): Promise<RepositorySummary[]> {
  const names = await listRepositoryNames(db, page);
  if (names.length === 0) return [];
  const rows = await sql<{
    name: string;
    tags: number;
    manifests: number;
    size: number;
    pushed: Date | string | null;
    pulled: Date | string | null;
  }>`
    SELECT r.name,
      (SELECT count(*) FROM registry_tag t WHERE t.repository_id = r.id) AS tags,
      (SELECT count(*) FROM registry_manifest m WHERE m.repository_id = r.id) AS manifests,
      (SELECT coalesce(sum(b.size), 0) FROM registry_blob_link l JOIN registry_blob b ON b.digest = l.digest
        WHERE l.repository_id = r.id) AS size,
      (SELECT max(m.pushed_at) FROM registry_manifest m WHERE m.repository_id = r.id) AS pushed,
      (SELECT max(p.last_pulled_at) FROM registry_pull p WHERE p.repository_id = r.id) AS pulled
    FROM registry_repository r WHERE r.name IN (${sql.join(names)}) ORDER BY r.name`.execute(db);
  return rows.rows.map((row) => ({
    name: row.name,
    tags: row.tags,
    manifests: row.manifests,
    size: row.size,
    lastPushedAt: row.pushed === null ? null : isoTime(row.pushed),
    lastPulledAt: row.pulled === null ? null : isoTime(row.pulled),
  }));
}
