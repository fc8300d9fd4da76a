// Migration 1: the tables of `store/`. (pg-boss keeps its own schema, `pgboss`.)
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0001-store',
  statements: [
    // Cache keys that changed, read by the other processes on this database (`invalidations.ts`).
    `create table invalidation (
       id bigint generated always as identity primary key,
       txid xid8 not null default pg_current_xact_id(),
       key text not null,
       at timestamptz not null default now()
     )`,
    'create index invalidation_txid on invalidation (txid)',
    'create index invalidation_at on invalidation (at)',
  ],
};
