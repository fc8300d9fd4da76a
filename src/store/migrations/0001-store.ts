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
    // How far the importer of each journal folder came; moved in the transaction that imports (`journal-import.ts`).
    `create table journal_position (
       instance text primary key,
       segment bigint not null,
       position bigint not null,
       sequence bigint not null,
       updated_at timestamptz not null default now()
     )`,
    // Journal records that no importer took: kept as text for a person to look at, never dropped.
    `create table journal_dead (
       instance text not null,
       sequence bigint not null,
       kind text not null,
       record text not null,
       error text not null,
       at timestamptz not null default now(),
       primary key (instance, sequence)
     )`,
    // The audit trail (`audit.ts`). Batches of records are sealed: each seal's hash covers its records and the seal before.
    `create table audit_seal (
       number bigint primary key,
       records int not null,
       previous bytea not null,
       hash bytea not null,
       sealed_at timestamptz not null default now()
     )`,
    `create table audit_record (
       id bigint generated always as identity primary key,
       at timestamptz not null,
       action text not null,
       actor text not null,
       target text not null,
       result text not null,
       address text,
       detail text,
       seal bigint
     )`,
    'create index audit_record_seal on audit_record (seal, id)',
    'create index audit_record_action on audit_record (action, id)',
    'create index audit_record_actor on audit_record (actor, id)',
    'create index audit_record_target on audit_record (target, id)',
    // Against slips and injected SQL: the trail only grows. Whoever owns the database can drop the triggers, which is
    // why the seals exist. The one change allowed is giving an unsealed record its seal.
    `create function audit_append_only() returns trigger language plpgsql as $$
     begin
       if tg_op = 'UPDATE' and tg_table_name = 'audit_record' then
         if old.seal is null and new.seal is not null
            and (new.id, new.at, new.action, new.actor, new.target, new.result, new.address, new.detail)
                is not distinct from
                (old.id, old.at, old.action, old.actor, old.target, old.result, old.address, old.detail) then
           return new;
         end if;
       end if;
       raise exception 'the audit trail is append-only: % on % refused', tg_op, tg_table_name;
     end $$`,
    `create trigger audit_record_append_only before update or delete on audit_record
       for each row execute function audit_append_only()`,
    `create trigger audit_record_keep before truncate on audit_record
       for each statement execute function audit_append_only()`,
    `create trigger audit_seal_append_only before update or delete on audit_seal
       for each row execute function audit_append_only()`,
    `create trigger audit_seal_keep before truncate on audit_seal
       for each statement execute function audit_append_only()`,
    // Running backups: objects of blobs are not removed meanwhile (`backup-hold.ts`).
    `create table backup_hold (
       id text primary key,
       started_at timestamptz not null default now(),
       expires_at timestamptz not null
     )`,
    // Present while a restore runs; left behind by one that broke off, and then the store must not be served.
    `create table restore_unfinished (
       source text primary key,
       started_at timestamptz not null default now()
     )`,
  ],
};
