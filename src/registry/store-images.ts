// The SQL of the image directory: stored manifests by digest, with every place they are stored in.
import { sql } from 'kysely';
import type { ImageLocation, StoredImage } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import { isoTime } from './tables.ts';
import type { RegistryTables } from './tables.ts';

export interface ImagePage {
  readonly repository: string | null;
  readonly limit: number;
  /** The last push and the digest after which to go on. */
  readonly after: { readonly pushedAt: Date; readonly digest: string } | null;
}

export interface ImageKey {
  readonly digest: string;
  readonly pushedAt: string;
}

/** Digests of stored manifests, last pushed first. */
export async function listImageKeys(db: Database, page: ImagePage): Promise<ImageKey[]> {
  let query = db
    .withTables<RegistryTables>()
    .selectFrom('registry_manifest as manifest')
    .select(['manifest.digest', (expression) => expression.fn.max('manifest.pushed_at').as('pushed')])
    .groupBy('manifest.digest')
    .orderBy('pushed', 'desc')
    .orderBy('manifest.digest')
    .limit(page.limit);
  const { repository, after } = page;
  if (repository !== null) {
    query = query.where(
      'manifest.repository_id',
      '=',
      sql<number>`(SELECT id FROM registry_repository WHERE name = ${repository})`,
    );
  }
  if (after !== null) {
    query = query.having(
      sql<boolean>`max(manifest.pushed_at) < ${after.pushedAt}
        OR (max(manifest.pushed_at) = ${after.pushedAt} AND manifest.digest > ${after.digest})`,
    );
  }
  const rows = await query.execute();
  return rows.map((row) => ({ digest: row.digest, pushedAt: isoTime(row.pushed) }));
}

interface LocatedManifest {
  readonly digest: string;
  readonly media_type: string;
  readonly kind: StoredImage['kind'];
  readonly artifact_type: string | null;
  readonly total_size: number;
  readonly pushed_at: Date | string;
  readonly pushed_by: string;
  readonly repository: string;
  readonly pulls: number | null;
  readonly last_pulled_at: Date | string | null;
  readonly tags: readonly string[] | null;
}

/** The stored images of these digests, in their order; unknown ones are left out. */
export async function readImages(db: Database, digests: readonly string[]): Promise<StoredImage[]> {
  if (digests.length === 0) return [];
  const found = await sql<LocatedManifest>`
    SELECT manifest.digest, manifest.media_type, manifest.kind, manifest.artifact_type, manifest.total_size,
      manifest.pushed_at, manifest.pushed_by, repository.name AS repository, pull.pulls, pull.last_pulled_at,
      (SELECT array_agg(tag.name ORDER BY tag.name) FROM registry_tag tag
        WHERE tag.repository_id = manifest.repository_id AND tag.digest = manifest.digest) AS tags
    FROM registry_manifest manifest
    JOIN registry_repository repository ON repository.id = manifest.repository_id
    LEFT JOIN registry_pull pull
      ON pull.repository_id = manifest.repository_id AND pull.digest = manifest.digest
    WHERE manifest.digest IN (${sql.join(digests)})
    ORDER BY repository.name`.execute(db);
  const byDigest = Map.groupBy(found.rows, (row) => row.digest);
  const children = await readChildren(
    db,
    found.rows.filter((row) => row.kind === 'index').map((row) => row.digest),
  );
  return digests.flatMap((digest) => {
    const rows = byDigest.get(digest) ?? [];
    const first = rows[0];
    if (first === undefined) return [];
    return [
      {
        digest,
        mediaType: first.media_type,
        kind: first.kind,
        size: first.total_size,
        artifactType: first.artifact_type,
        locations: rows.map(locationOf),
        children: children.get(digest) ?? [],
      },
    ];
  });
}

function locationOf(row: LocatedManifest): ImageLocation {
  return {
    repository: row.repository,
    tags: row.tags ?? [],
    pushedAt: isoTime(row.pushed_at),
    pushedBy: row.pushed_by,
    lastPulledAt: row.last_pulled_at === null ? null : isoTime(row.last_pulled_at),
    pulls: row.pulls ?? 0,
  };
}

type Child = StoredImage['children'][number];

async function readChildren(db: Database, parents: readonly string[]): Promise<Map<string, Child[]>> {
  if (parents.length === 0) return new Map();
  const rows = await sql<{ parent: string; child: string; platform: string | null; present: boolean }>`
    SELECT DISTINCT edge.parent, edge.position, edge.child, edge.platform,
      EXISTS (SELECT 1 FROM registry_manifest manifest WHERE manifest.digest = edge.child) AS present
    FROM registry_manifest_edge edge
    WHERE edge.parent IN (${sql.join(parents)}) AND edge.kind = 'manifest'
    ORDER BY edge.parent, edge.position`.execute(db);
  const children = new Map<string, Child[]>();
  for (const { parent, child, platform, present } of rows.rows) {
    const list = children.get(parent) ?? [];
    list.push({ digest: child, platform, present });
    children.set(parent, list);
  }
  return children;
}

export interface TagRow {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly pushedAt: string;
  readonly pushedBy: string;
  readonly lastPulledAt: string | null;
  readonly pulls: number;
}

/** Tags of a repository with what they stand for, by name. */
export async function readTags(
  db: Database,
  repositoryId: number,
  page: { readonly after: string | null; readonly limit: number },
): Promise<TagRow[]> {
  let query = db
    .withTables<RegistryTables>()
    .selectFrom('registry_tag as tag')
    .innerJoin('registry_manifest as manifest', (join) =>
      join
        .onRef('manifest.repository_id', '=', 'tag.repository_id')
        .onRef('manifest.digest', '=', 'tag.digest'),
    )
    .leftJoin('registry_pull as pull', (join) =>
      join.onRef('pull.repository_id', '=', 'tag.repository_id').onRef('pull.digest', '=', 'tag.digest'),
    )
    .select([
      'tag.name',
      'tag.digest',
      'manifest.media_type',
      'manifest.total_size',
      'tag.pushed_at',
      'tag.pushed_by',
      'pull.last_pulled_at',
      'pull.pulls',
    ])
    .where('tag.repository_id', '=', repositoryId)
    .orderBy('tag.name')
    .limit(page.limit);
  if (page.after !== null) query = query.where('tag.name', '>', page.after);
  return (await query.execute()).map((row) => ({
    name: row.name,
    digest: row.digest,
    mediaType: row.media_type,
    size: row.total_size,
    pushedAt: isoTime(row.pushed_at),
    pushedBy: row.pushed_by,
    lastPulledAt: row.last_pulled_at === null ? null : isoTime(row.last_pulled_at),
    pulls: row.pulls ?? 0,
  }));
}
