// Migration 2: the tables of `identity/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0002-identity',
  statements: [
    `create table credential (
      name text primary key,
      kind text not null check (kind in ('administrator')),
      password_hmac bytea not null,
      pepper_id text not null,
      generation integer not null check (generation > 0),
      created_at timestamptz not null,
      changed_at timestamptz not null
    )`,
  ],
};
