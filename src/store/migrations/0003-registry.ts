// Migration 3: the tables of `registry/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0003-registry',
  statements: [
    `CREATE TABLE registry_repository (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      created_at timestamptz NOT NULL
    )`,
    // One row per stored content, whatever the number of repositories that hold it.
    `CREATE TABLE registry_blob (
      digest text COLLATE "C" PRIMARY KEY,
      size bigint NOT NULL,
      object_id text NOT NULL UNIQUE,
      doomed_at timestamptz,
      touched_at timestamptz NOT NULL
    )`,
    'CREATE INDEX registry_blob_doomed ON registry_blob (doomed_at) WHERE doomed_at IS NOT NULL',
    // Which repository holds which blob: nobody reads a blob by guessing its digest in another repository.
    `CREATE TABLE registry_blob_link (
      repository_id bigint NOT NULL REFERENCES registry_repository (id),
      digest text COLLATE "C" NOT NULL REFERENCES registry_blob (digest),
      touched_at timestamptz NOT NULL,
      PRIMARY KEY (repository_id, digest)
    )`,
    'CREATE INDEX registry_blob_link_digest ON registry_blob_link (digest)',
    `CREATE TABLE registry_manifest (
      repository_id bigint NOT NULL REFERENCES registry_repository (id),
      digest text COLLATE "C" NOT NULL,
      media_type text NOT NULL,
      kind text NOT NULL CHECK (kind IN ('image', 'index', 'artifact')),
      artifact_type text,
      subject text COLLATE "C",
      referrer text,
      body bytea NOT NULL,
      size bigint NOT NULL,
      total_size bigint NOT NULL,
      pushed_at timestamptz NOT NULL,
      pushed_by text NOT NULL,
      PRIMARY KEY (repository_id, digest)
    )`,
    'CREATE INDEX registry_manifest_digest ON registry_manifest (digest)',
    'CREATE INDEX registry_manifest_pushed ON registry_manifest (pushed_at DESC, digest)',
    `CREATE INDEX registry_manifest_subject ON registry_manifest (repository_id, subject, digest)
      WHERE subject IS NOT NULL`,
    // What a manifest refers to: its config, its layers, the children of an index. Present or not.
    `CREATE TABLE registry_manifest_edge (
      repository_id bigint NOT NULL,
      parent text COLLATE "C" NOT NULL,
      position integer NOT NULL,
      child text COLLATE "C" NOT NULL,
      kind text NOT NULL CHECK (kind IN ('config', 'layer', 'manifest')),
      platform text,
      PRIMARY KEY (repository_id, parent, position),
      FOREIGN KEY (repository_id, parent) REFERENCES registry_manifest (repository_id, digest) ON DELETE CASCADE
    )`,
    'CREATE INDEX registry_manifest_edge_child ON registry_manifest_edge (repository_id, child)',
    `CREATE TABLE registry_tag (
      repository_id bigint NOT NULL,
      name text COLLATE "C" NOT NULL,
      digest text COLLATE "C" NOT NULL,
      pushed_at timestamptz NOT NULL,
      pushed_by text NOT NULL,
      PRIMARY KEY (repository_id, name),
      FOREIGN KEY (repository_id, digest) REFERENCES registry_manifest (repository_id, digest) ON DELETE CASCADE
    )`,
    'CREATE INDEX registry_tag_digest ON registry_tag (repository_id, digest)',
    // Apart from the manifest, so that counting a pull does not rewrite the manifest's row.
    `CREATE TABLE registry_pull (
      repository_id bigint NOT NULL,
      digest text COLLATE "C" NOT NULL,
      pulls bigint NOT NULL,
      last_pulled_at timestamptz NOT NULL,
      PRIMARY KEY (repository_id, digest),
      FOREIGN KEY (repository_id, digest) REFERENCES registry_manifest (repository_id, digest) ON DELETE CASCADE
    )`,
    // Uploads in progress. "size" is what is known to be durable; the object may hold more.
    `CREATE TABLE registry_upload (
      id text PRIMARY KEY,
      repository text COLLATE "C" NOT NULL,
      owner text NOT NULL,
      object_id text UNIQUE,
      algorithm text NOT NULL,
      size bigint NOT NULL,
      revision integer NOT NULL,
      touched_at timestamptz NOT NULL
    )`,
    'CREATE INDEX registry_upload_touched ON registry_upload (touched_at)',
  ],
};
