// Migration 7: continuous matching and freshness (`scan/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0007-continuous',
  statements: [
    // Which advisory data all images were matched with, in order. An epoch is finished when every image that its change
    // concerns was matched again; an image matched in epoch n is then covered by every finished epoch after n.
    `create table scan_advisory_epoch (
      epoch bigint generated always as identity primary key,
      digest text not null,
      kind text not null,
      built_at timestamptz not null,
      advisories integer not null,
      started_at timestamptz not null,
      finished_at timestamptz,
      touched_packages integer,
      changed_images integer not null default 0
    )`,
    // The newest epoch, in one row: scans that end lock it, so that none slips past the beginning of an epoch.
    `create table scan_advisory_current (
      id integer primary key check (id = 1),
      epoch bigint references scan_advisory_epoch (epoch)
    )`,
    'insert into scan_advisory_current (id) values (1)',
    // "matched_epoch" is null while the result rests on other data than the epochs': it must be matched by itself.
    'alter table scan_image add column matched_epoch bigint, add column matched_at timestamptz',
    // Why a finding ended without a new scan: "withdrawn" or "not-affected".
    'alter table scan_finding add column closed_reason text',
    'create index scan_finding_aliases on scan_finding using gin (aliases)',
    'create index scan_finding_purl on scan_finding (image_digest, purl)',
    'create index scan_image_catalogers on scan_image (catalogers)',
    'create index scan_image_unmatched on scan_image (digest) where matched_epoch is null',
    // Under which names advisories speak of a package: the index from a changed advisory to packages.
    `create table scan_package_name (
      ecosystem text collate "C" not null,
      name text collate "C" not null,
      coordinate_id bigint not null references scan_coordinate (id),
      primary key (ecosystem, name, coordinate_id)
    )`,
    // A run of packages of one layer, content-addressed: images with layers in common share most of them.
    `create table scan_package_group (
      id bigint generated always as identity primary key,
      key text collate "C" not null unique
    )`,
    `create table scan_package_group_item (
      group_id bigint not null references scan_package_group (id) on delete cascade,
      ordinal integer not null,
      coordinate_id bigint not null references scan_coordinate (id),
      path text not null,
      owned_by text,
      licenses jsonb not null,
      detail jsonb,
      primary key (group_id, ordinal)
    )`,
    'create index scan_package_group_item_coordinate on scan_package_group_item (coordinate_id)',
    `create table scan_image_group (
      image_digest text collate "C" not null,
      generation integer not null,
      position integer not null,
      layer integer not null,
      group_id bigint not null references scan_package_group (id),
      primary key (image_digest, generation, position)
    )`,
    'create index scan_image_group_group on scan_image_group (group_id, image_digest)',
    // What is stored already stays visible: one group for each layer of an image.
    `insert into scan_package_group (key)
      select distinct 'image:' || p.image_digest || ':' || p.layer
      from scan_image_package p join scan_image i on i.digest = p.image_digest and i.package_generation = p.generation`,
    `insert into scan_package_group_item (group_id, ordinal, coordinate_id, path, owned_by, licenses)
      select g.id, p.ordinal, p.coordinate_id, p.path, p.owned_by, p.licenses
      from scan_image_package p join scan_image i on i.digest = p.image_digest and i.package_generation = p.generation
      join scan_package_group g on g.key = 'image:' || p.image_digest || ':' || p.layer`,
    `insert into scan_image_group (image_digest, generation, position, layer, group_id)
      select distinct p.image_digest, p.generation, p.layer, p.layer, g.id
      from scan_image_package p join scan_image i on i.digest = p.image_digest and i.package_generation = p.generation
      join scan_package_group g on g.key = 'image:' || p.image_digest || ':' || p.layer`,
    'drop table scan_image_package',
    // Those groups have no names to be found by: the images are scanned again, from cached layers.
    'update scan_image set catalogers = null, package_hash = null',
  ],
};
