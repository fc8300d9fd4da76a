// The SQL of pull counts: many pulls in one statement.
import { sql } from 'kysely';
import type { Database } from '../store/index.ts';

export interface PullCount {
  readonly actor: string;
  readonly address: string;
  readonly repository: string;
  readonly digest: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly lastAt: number;
}

/** Adds the counts to their manifests; manifests deleted meanwhile are left out. */
export async function recordPulls(db: Database, pulls: readonly PullCount[]): Promise<void> {
  const byManifest = new Map<string, { repository: string; digest: string; count: number; lastAt: number }>();
  for (const { repository, digest, count, lastAt } of pulls) {
    const key = `${repository}@${digest}`;
    const known = byManifest.get(key);
    if (known === undefined) byManifest.set(key, { repository, digest, count, lastAt });
    else {
      known.count += count;
      known.lastAt = Math.max(known.lastAt, lastAt);
    }
  }
  if (byManifest.size === 0) return;
  const rows = Array.from(
    byManifest.values(),
    (row) =>
      sql`(${row.repository}::text, ${row.digest}::text, ${row.count}::bigint, ${new Date(row.lastAt)}::timestamptz)`,
  );
  // The manifests are locked against deletion, and in one order, until the counts are in.
  await sql`
    WITH counted (repository, digest, pulls, last) AS (VALUES ${sql.join(rows)}),
    held AS (
      SELECT manifest.repository_id, manifest.digest, counted.pulls, counted.last
      FROM counted
      JOIN registry_repository repository ON repository.name = counted.repository
      JOIN registry_manifest manifest
        ON manifest.repository_id = repository.id AND manifest.digest = counted.digest
      ORDER BY manifest.repository_id, manifest.digest
      FOR KEY SHARE OF manifest
    )
    INSERT INTO registry_pull AS pull (repository_id, digest, pulls, last_pulled_at)
    SELECT repository_id, digest, pulls, last FROM held
    ON CONFLICT (repository_id, digest) DO UPDATE SET
      pulls = pull.pulls + excluded.pulls,
      last_pulled_at = greatest(pull.last_pulled_at, excluded.last_pulled_at)`.execute(db);
}
