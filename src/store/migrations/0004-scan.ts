// Migration 4: the tables of `scan/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0004-scan',
  statements: [
    // One row per image digest that a scan was asked for. "generation" is the attempt whose results are shown;
    // rows of a later attempt are invisible until the row is switched to it.
    `create table scan_image (
      digest text collate "C" primary key,
      status text not null check (status in ('pending', 'running', 'finished', 'failed', 'unscannable')),
      trigger text not null,
      requested_at timestamptz not null,
      started_at timestamptz,
      finished_at timestamptz,
      error_code text,
      error_message text,
      reason text,
      attempt integer not null default 0,
      generation integer not null default 0,
      package_generation integer not null default 0,
      package_hash text,
      catalogers text,
      platform text,
      created text,
      distribution jsonb,
      advisories jsonb,
      layers jsonb,
      problems jsonb,
      package_count integer,
      counts jsonb
    )`,
    `create index scan_image_unfinished on scan_image (status) where status in ('pending', 'running')`,
    // Which images an index was found to hold, to tell when all of them are scanned.
    `create table scan_index_child (
      index_digest text collate "C" not null,
      child_digest text collate "C" not null,
      primary key (index_digest, child_digest)
    )`,
    'create index scan_index_child_child on scan_index_child (child_digest)',
    // What one pass over a layer found, encoded; by the digest of the stored blob.
    `create table scan_layer_result (
      blob_digest text collate "C" primary key,
      bytes bytea not null,
      created_at timestamptz not null
    )`,
    // A package at a version, once for all images. "key" is a hash of the package URL and its source.
    `create table scan_coordinate (
      id bigint generated always as identity primary key,
      key text collate "C" not null unique,
      kind text not null,
      name text collate "C" not null,
      version text not null,
      source_name text,
      source_version text,
      architecture text,
      purl text not null
    )`,
    'create index scan_coordinate_name on scan_coordinate (name)',
    `create table scan_image_package (
      image_digest text collate "C" not null,
      generation integer not null,
      ordinal integer not null,
      coordinate_id bigint not null references scan_coordinate (id),
      layer integer not null,
      path text not null,
      owned_by text,
      licenses jsonb not null,
      primary key (image_digest, generation, ordinal)
    )`,
    'create index scan_image_package_coordinate on scan_image_package (coordinate_id)',
    // One flaw of one package in one image. It is open while the shown generation has seen it, and fixed after that.
    `create table scan_finding (
      number bigint generated always as identity primary key,
      image_digest text collate "C" not null,
      key text collate "C" not null,
      id text collate "C" not null,
      advisory text not null,
      aliases jsonb not null,
      purl text not null,
      kind text not null,
      package text collate "C" not null,
      installed text not null,
      fixed text,
      fix_state text not null,
      severity text not null,
      severity_rank integer not null,
      severity_source text not null,
      cvss_score double precision,
      cvss_vector text,
      epss double precision,
      exploited boolean not null,
      title text not null,
      range text not null,
      layer integer not null,
      layer_digest text,
      path text not null,
      first_generation integer not null,
      last_generation integer not null,
      first_seen timestamptz not null,
      last_seen timestamptz not null,
      unique (image_digest, key)
    )`,
    'create index scan_finding_severity on scan_finding (severity_rank, number)',
    'create index scan_finding_image on scan_finding (image_digest, severity_rank, number)',
    'create index scan_finding_id on scan_finding (id)',
    'create index scan_finding_package on scan_finding (package)',
  ],
};
