// Migration 6: secrets found in layers (`scan/secrets/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0006-secrets',
  statements: [
    // Rows of another generation than the image's are not shown. Never a value: masked, and a fingerprint.
    `create table scan_secret (
      image_digest text collate "C" not null,
      generation integer not null,
      ordinal integer not null,
      rule text collate "C" not null,
      title text not null,
      severity text not null,
      severity_rank integer not null,
      source text not null,
      path text not null,
      line integer not null,
      layer integer,
      layer_digest text,
      removed_in_layer integer,
      masked text not null,
      fingerprint text collate "C" not null,
      validated text not null,
      remediation text not null,
      primary key (image_digest, generation, ordinal)
    )`,
    'create index scan_secret_fingerprint on scan_secret (fingerprint)',
    `alter table scan_image add column secret_generation integer not null default 0`,
    // Null where secrets were not looked for: that is not zero.
    `alter table scan_image add column secret_count integer`,
  ],
};
