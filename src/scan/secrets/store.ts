// The SQL of secrets: written beside findings under the attempt's number, shown once the image's row is switched to it.
import { sql, type RawBuilder } from 'kysely';
import { batches, SEVERITIES, severityRank } from '../../core/index.ts';
import type { Database, DatabaseTransaction } from '../../store/index.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { databaseJson } from '../json-rows.ts';
import { SECRET_SOURCES, type SecretFinding } from './types.ts';

const DELETE_ROWS = 500;

/** Runs one transaction if the attempt may still write; resolves to false when it may not. */
export type AttemptWrite = (run: (transaction: DatabaseTransaction) => Promise<void>) => Promise<boolean>;

/** Stores the secrets of an attempt, invisible until the switch. False when a later attempt has begun. */
export async function insertSecrets(
  secrets: readonly SecretFinding[],
  digest: string,
  attempt: number,
  write: AttemptWrite,
): Promise<boolean> {
  let ordinal = 0;
  for (const batch of batches(secrets)) {
    const rows = batch.map((secret) => ({
      ...secret,
      ordinal: ordinal++,
      severity_rank: severityRank(secret.severity),
      layer_digest: secret.layerDigest,
      removed_in_layer: secret.removedInLayer,
    }));
    const written = await write(async (transaction) => {
      await sql`
        insert into scan_secret (image_digest, generation, ordinal, rule, title, severity, severity_rank, source, path,
          line, layer, layer_digest, removed_in_layer, masked, fingerprint, validated, remediation)
        select ${digest}, ${attempt}::integer, ordinal, rule, title, severity, severity_rank, source, path, line,
          layer, layer_digest, removed_in_layer, masked, fingerprint, validated, remediation
        from jsonb_to_recordset(${databaseJson(rows)}::jsonb) as r(ordinal integer, rule text, title text,
          severity text, severity_rank integer, source text, path text, line integer, layer integer,
          layer_digest text, removed_in_layer integer, masked text, fingerprint text, validated text,
          remediation text)
        on conflict (image_digest, generation, ordinal) do nothing`.execute(transaction);
    });
    if (!written) return false;
  }
  return true;
}

/** Removes what is not shown: of earlier generations, and of attempts below `attempt` that were given up. */
export function removeHiddenSecrets(db: Database, digest: string, attempt: number): Promise<void> {
  return removeWhere(
    db,
    sql`image_digest = ${digest} and generation < ${attempt}
      and generation <> (select secret_generation from scan_image where digest = ${digest})`,
  );
}

export function removeAllSecrets(db: Database, digest: string): Promise<void> {
  return removeWhere(db, sql`image_digest = ${digest}`);
}

async function removeWhere(db: Database, condition: RawBuilder<unknown>): Promise<void> {
  for (;;) {
    const { numAffectedRows } = await sql`
      delete from scan_secret where ctid in
        (select ctid from scan_secret where ${condition} limit ${DELETE_ROWS})`.execute(db);
    if (numAffectedRows === undefined || numAffectedRows < BigInt(DELETE_ROWS)) return;
  }
}

interface SecretRow {
  readonly ordinal: number;
  readonly rule: string;
  readonly title: string;
  readonly severity: string;
  readonly source: string;
  readonly path: string;
  readonly line: number;
  readonly layer: number | null;
  readonly layer_digest: string | null;
  readonly removed_in_layer: number | null;
  readonly masked: string;
  readonly fingerprint: string;
  readonly validated: string;
  readonly remediation: string;
}

/** Secrets of an image in the order of its report. `searched` is false when they were not looked for. */
export async function listSecrets(
  db: Database,
  filter: { readonly image: string; readonly limit: number; readonly cursor?: string },
): Promise<{
  readonly searched: boolean;
  readonly secrets: readonly SecretFinding[];
  readonly nextCursor: string | null;
}> {
  const [after = -1] = filter.cursor === undefined ? [] : decodeCursor(filter.cursor, 1);
  const counted = await sql<{ readonly secret_count: number | null }>`
    select secret_count from scan_image where digest = ${filter.image}`.execute(db);
  const { rows } = await sql<SecretRow>`
    select s.* from scan_image i
    join scan_secret s on s.image_digest = i.digest and s.generation = i.secret_generation
    where i.digest = ${filter.image} and s.ordinal > ${after}::bigint
    order by s.ordinal limit ${filter.limit + 1}`.execute(db);
  const page = rows.slice(0, filter.limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    searched: (counted.rows[0]?.secret_count ?? null) !== null,
    secrets: page.map(secretOf),
    nextCursor: last === undefined ? null : encodeCursor([last.ordinal]),
  };
}

function secretOf(row: SecretRow): SecretFinding {
  return {
    rule: row.rule,
    title: row.title,
    severity: SEVERITIES.find((severity) => severity === row.severity) ?? 'unknown',
    source: SECRET_SOURCES.find((source) => source === row.source) ?? 'file',
    path: row.path,
    line: row.line,
    layer: row.layer,
    layerDigest: row.layer_digest,
    removedInLayer: row.removed_in_layer,
    masked: row.masked,
    fingerprint: row.fingerprint,
    validated: row.validated === 'structure' ? 'structure' : 'pattern',
    remediation: row.remediation,
  };
}
