// The SQL of identity's one table: stored credentials.
import { sql } from 'kysely';
import type { Database } from '../store/index.ts';

// A type, not an interface: only a type fits the index signature that `withTables` wants.
export type IdentityTables = {
  credential: {
    name: string;
    kind: 'administrator';
    password_hmac: Buffer;
    /** Which pepper the HMAC was made under (`pepperId`). */
    pepper_id: string;
    /** Counts changes of the password; tokens carry it. */
    generation: number;
    created_at: Date;
    changed_at: Date;
  };
};

export interface StoredCredential {
  readonly name: string;
  readonly kind: 'administrator';
  readonly passwordHmac: Buffer;
  readonly pepperId: string;
  readonly generation: number;
}

export interface NewCredential {
  readonly name: string;
  readonly passwordHmac: Buffer;
  readonly pepperId: string;
  readonly at: Date;
}

/** Every credential. */
export async function readCredentials(db: Database): Promise<StoredCredential[]> {
  const rows = await db
    .withTables<IdentityTables>()
    .selectFrom('credential')
    .select(['name', 'kind', 'password_hmac', 'pepper_id', 'generation'])
    .execute();
  return rows.map((row) => ({
    name: row.name,
    kind: row.kind,
    passwordHmac: row.password_hmac,
    pepperId: row.pepper_id,
    generation: row.generation,
  }));
}

/** Stores an administrator unless one of that name is there already. True when it was stored. */
export async function insertAdministrator(db: Database, credential: NewCredential): Promise<boolean> {
  const inserted = await db
    .withTables<IdentityTables>()
    .insertInto('credential')
    .values(newRow(credential))
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('name')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Stores an administrator's new password and raises the generation. */
export async function replaceAdministrator(db: Database, credential: NewCredential): Promise<void> {
  await db
    .withTables<IdentityTables>()
    .insertInto('credential')
    .values(newRow(credential))
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        password_hmac: credential.passwordHmac,
        pepper_id: credential.pepperId,
        generation: sql<number>`credential.generation + 1`,
        changed_at: credential.at,
      }),
    )
    .execute();
}

function newRow(credential: NewCredential): IdentityTables['credential'] {
  return {
    name: credential.name,
    kind: 'administrator',
    password_hmac: credential.passwordHmac,
    pepper_id: credential.pepperId,
    generation: 1,
    created_at: credential.at,
    changed_at: credential.at,
  };
}
