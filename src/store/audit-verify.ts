// Recomputes the seals of the audit trail, a few at a time.
import { sql } from 'kysely';
import { MAX_ROWS_PER_TRANSACTION } from '../core/index.ts';
import { FIRST_PREVIOUS, SEALED_COLUMNS, sealHash, utcText, type SealedRecord } from './audit-seal.ts';
import type { AuditVerdict, Database } from './types.ts';

/** Seals read at once; each covers fewer than {@link MAX_ROWS_PER_TRANSACTION} records. */
const SEALS_PER_PAGE = 20;

interface Seal {
  readonly number: number;
  readonly records: number;
  readonly previous: Buffer;
  readonly hash: Buffer;
  readonly sealedAt: string;
}

type NumberedRecord = SealedRecord & { readonly seal: number };

/**
 * Finds changed, removed and added records, changed and removed seals. What it cannot find is the removal of the
 * newest seals together with all their records: for that, compare with the seal numbers and hashes in the server's log.
 */
export async function verifySeals(db: Database): Promise<AuditVerdict> {
  let previous: Buffer = FIRST_PREVIOUS;
  let number = 0;
  let records = 0;
  for (;;) {
    const seals = await readSeals(db, number);
    if (seals.length === 0) break;
    const bySeal = Map.groupBy(await readRecords(db, seals), (record) => record.seal);
    for (const seal of seals) {
      number += 1;
      if (seal.number !== number) return broken(number, `seal ${number} is missing`);
      const fault = checkSeal(seal, previous, bySeal.get(number) ?? []);
      if (fault !== undefined) return broken(number, fault);
      previous = seal.hash;
      records += seal.records;
    }
  }
  const { unsealed, orphan } = await readRest(db);
  if (orphan !== null) return broken(orphan, `records name seal ${orphan}, which is missing`);
  return { intact: true, seals: number, records, unsealed };
}

function checkSeal(seal: Seal, previous: Buffer, records: readonly NumberedRecord[]): string | undefined {
  if (!seal.previous.equals(previous)) return 'the seal does not follow the one before it';
  if (records.length < seal.records) {
    return `${seal.records - records.length} of its ${seal.records} records were removed`;
  }
  if (records.length > seal.records) return 'records were added to it';
  const hash = sealHash(seal.number, seal.sealedAt, seal.previous, records);
  return hash.equals(seal.hash) ? undefined : 'the seal or one of its records was changed';
}

async function readSeals(db: Database, after: number): Promise<readonly Seal[]> {
  const { rows } = await sql<Seal>`
    select number, records, previous, hash, ${utcText('sealed_at')} as "sealedAt"
    from audit_seal where number > ${after} order by number limit ${SEALS_PER_PAGE}`.execute(db);
  return rows;
}

async function readRecords(db: Database, seals: readonly Seal[]): Promise<readonly NumberedRecord[]> {
  // Nobody can make this read more by adding records: one too many is enough to see it.
  const most = Math.min(
    seals.reduce((sum, seal) => sum + Math.max(0, seal.records), 1),
    SEALS_PER_PAGE * MAX_ROWS_PER_TRANSACTION,
  );
  const { rows } = await sql<NumberedRecord>`
    select seal, ${SEALED_COLUMNS} from audit_record
    where seal between ${seals[0]?.number ?? 0} and ${seals.at(-1)?.number ?? 0}
    order by audit_record.seal, audit_record.id limit ${most}`.execute(db);
  return rows;
}

async function readRest(db: Database): Promise<{ unsealed: number; orphan: number | null }> {
  const { rows } = await sql<{ unsealed: number; orphan: number | null }>`
    select (select count(*) from audit_record where seal is null) as unsealed,
      (select min(seal) from audit_record
       where seal < 1 or seal > (select coalesce(max(number), 0) from audit_seal)) as orphan`.execute(db);
  return rows[0] ?? { unsealed: 0, orphan: null };
}

function broken(seal: number, reason: string): AuditVerdict {
  return { intact: false, seal, reason };
}
