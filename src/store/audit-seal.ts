// The hash chain of the audit trail: how a batch of records becomes a seal, and what a seal covers.
import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';

/** Hash "before" the first seal. */
export const FIRST_PREVIOUS = Buffer.alloc(32);

/** A record as the hash sees it: text exactly as the database holds it. */
export interface SealedRecord {
  readonly id: string;
  /** UTC with microseconds. */
  readonly at: string;
  readonly action: string;
  readonly actor: string;
  readonly target: string;
  readonly result: string;
  readonly address: string | null;
  readonly detail: string | null;
}

/** Time stamps as text that does not depend on settings of the session. */
export function utcText(column: 'at' | 'sealed_at'): RawBuilder<string> {
  return sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Columns of {@link SealedRecord}. */
export const SEALED_COLUMNS = sql`id::text as id, ${utcText('at')} as at, action, actor, target, result, address, detail`;

/**
 * SHA-256 over the seal's own facts, the hash before it, and each record in order of id. Every part is one line of
 * JSON (which holds no line break), so no two different batches have the same text.
 */
export function sealHash(
  number: number,
  sealedAt: string,
  previous: Buffer,
  records: readonly SealedRecord[],
): Buffer {
  const hash = createHash('sha256');
  const head = ['breakwater-audit-seal-1', number, sealedAt, previous.toString('hex'), records.length];
  hash.update(`${JSON.stringify(head)}\n`);
  for (const record of records) {
    const { id, at, action, actor, target, result, address, detail } = record;
    hash.update(`${JSON.stringify([id, at, action, actor, target, result, address, detail])}\n`);
  }
  return hash.digest();
}
