// The shape of a migration: numbered, forward only, plain PostgreSQL statements run in one transaction.

export interface Migration {
  /** `NNNN-name`; the order is the order of the names. Never changed once released. */
  readonly name: string;
  /** Statements of the PostgreSQL dialect, run in order. */
  readonly statements: readonly string[];
}
