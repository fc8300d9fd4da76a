// The tables of migration 0003 as Kysely sees them. `bigint` columns are numbers: the store's driver reads them so.
import type { ColumnType, GeneratedAlways } from 'kysely';

type Timestamp = ColumnType<Date | string, Date, Date>;
type OptionalTimestamp = ColumnType<Date | string | null, Date | null, Date | null>;

export type ManifestKind = 'image' | 'index' | 'artifact';
export type EdgeKind = 'config' | 'layer' | 'manifest';

/** A type and not an interface: Kysely wants an index signature. */
export type RegistryTables = {
  registry_repository: {
    id: GeneratedAlways<number>;
    name: string;
    created_at: Timestamp;
  };
  registry_blob: {
    digest: string;
    size: number;
    object_id: string;
    doomed_at: OptionalTimestamp;
    touched_at: Timestamp;
  };
  registry_blob_link: {
    repository_id: number;
    digest: string;
    touched_at: Timestamp;
  };
  registry_manifest: {
    repository_id: number;
    digest: string;
    media_type: string;
    kind: ManifestKind;
    artifact_type: string | null;
    subject: string | null;
    /** The descriptor shown in the referrers list, as JSON; null without a subject. */
    referrer: string | null;
    body: Buffer;
    size: number;
    total_size: number;
    pushed_at: Timestamp;
    pushed_by: string;
  };
  registry_manifest_edge: {
    repository_id: number;
    parent: string;
    position: number;
    child: string;
    kind: EdgeKind;
    platform: string | null;
  };
  registry_tag: {
    repository_id: number;
    name: string;
    digest: string;
    pushed_at: Timestamp;
    pushed_by: string;
  };
  registry_pull: {
    repository_id: number;
    digest: string;
    pulls: number;
    last_pulled_at: Timestamp;
  };
  registry_upload: {
    id: string;
    repository: string;
    owner: string;
    object_id: string | null;
    algorithm: string;
    size: number;
    revision: number;
    touched_at: Timestamp;
  };
};

/** ISO 8601 text of a time column. */
export function isoTime(value: Date | string): string {
  return new Date(value).toISOString();
}
