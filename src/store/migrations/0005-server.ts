// Migration 5: the tables of `server/`: the event outbox, webhooks and their deliveries.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0005-server',
  statements: [
    `CREATE TABLE server_events (
      id uuid PRIMARY KEY,
      sequence bigint GENERATED ALWAYS AS IDENTITY,
      name text NOT NULL,
      body jsonb NOT NULL,
      at timestamptz NOT NULL,
      dispatched boolean NOT NULL DEFAULT false
    )`,
    `CREATE UNIQUE INDEX server_events_sequence ON server_events (sequence)`,
    `CREATE INDEX server_events_waiting ON server_events (sequence) WHERE NOT dispatched`,
    `CREATE TABLE server_webhooks (
      id uuid PRIMARY KEY,
      name text NOT NULL,
      url text NOT NULL,
      events text[] NOT NULL,
      enabled boolean NOT NULL,
      allow_private_addresses boolean NOT NULL,
      secret bytea NOT NULL,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    )`,
    `CREATE UNIQUE INDEX server_webhooks_name ON server_webhooks (name)`,
    `CREATE TABLE server_webhook_deliveries (
      id uuid PRIMARY KEY,
      sequence bigint GENERATED ALWAYS AS IDENTITY,
      webhook uuid NOT NULL REFERENCES server_webhooks (id) ON DELETE CASCADE,
      event_id uuid NOT NULL,
      event_name text NOT NULL,
      body text NOT NULL,
      status text NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      response_status integer,
      response_body text,
      error text,
      created_at timestamptz NOT NULL,
      attempted_at timestamptz,
      delivered_at timestamptz
    )`,
    `CREATE INDEX server_webhook_deliveries_webhook ON server_webhook_deliveries (webhook, sequence DESC)`,
    `CREATE INDEX server_webhook_deliveries_age ON server_webhook_deliveries (created_at)`,
  ],
};
