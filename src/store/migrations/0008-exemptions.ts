// Migration 8: exemptions and VEX statements (`scan/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0008-exemptions',
  statements: [
    // Compared with findings when they are read, so that a new one, a changed one and an expired one count at once.
    `create table scan_exemption (
      id text primary key,
      vulnerability text collate "C",
      package text,
      package_kind text,
      package_name text collate "C",
      version text,
      image text,
      path text,
      path_pattern text,
      reason text not null,
      owner text not null,
      expires date not null,
      created_by text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`,
    // The images whose names fit the exemption's pattern; only for exemptions that have one.
    `create table scan_exemption_image (
      exemption_id text not null references scan_exemption (id) on delete cascade,
      image_digest text collate "C" not null,
      primary key (exemption_id, image_digest)
    )`,
    'create index scan_exemption_image_digest on scan_exemption_image (image_digest)',
  ],
};
