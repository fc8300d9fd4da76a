// What the registry offers to the server that mounts it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, EventBus, ImageDirectory, Logger, Metrics, Randomness } from '../core/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Store } from '../store/index.ts';
import type { RepositorySummary } from './store-lists.ts';

/** When garbage collection runs and what it leaves alone. All in milliseconds. */
export interface GarbageOptions {
  /** Between two runs, give or take a tenth. 0 means only on demand. Default one hour. */
  readonly intervalMs?: number;
  /** How long a blob that no manifest names is kept. Default 24 hours. */
  readonly graceMs?: number;
  /** How long an upload may rest. Default 24 hours. */
  readonly uploadAgeMs?: number;
  /** How long after being marked a blob's row and bytes stay, for a push to revive. Default one minute. */
  readonly settleMs?: number;
}

/** What one run of garbage collection did. */
export interface GarbageReport {
  readonly startedAt: string;
  readonly durationMs: number;
  /** Blobs taken out of repositories where no manifest names them. */
  readonly unlinked: number;
  readonly doomed: number;
  readonly deletedBlobs: number;
  /** Bytes of the deleted blobs. */
  readonly freedBytes: number;
  readonly expiredUploads: number;
  readonly orphanObjects: number;
  /** True when a backup holds all bytes, so that nothing was deleted. */
  readonly held: boolean;
}

export interface RegistryLimits {
  /** Longest silence of a connection, in milliseconds. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** Fewest bytes a transfer must make in each minute. Default 1,024. */
  readonly minBytesPerMinute?: number;
  /** Largest blob, in bytes. Default 200 GiB. */
  readonly maxBlobBytes?: number;
  /** Memory for manifest bodies, in bytes. Default 64 MiB. */
  readonly manifestCacheBytes?: number;
}

export interface RegistryOptions {
  readonly store: Store;
  readonly identity: Identity;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Audience of tokens. Default `breakwater-registry`. */
  readonly service?: string;
  /** `http://` or `https://` address clients use; without it the request's own host is taken for the token realm. */
  readonly externalUrl?: string;
  readonly gc?: GarbageOptions;
  readonly limits?: RegistryLimits;
}

/** A running registry. */
export interface Registry {
  /** The audience its tokens are for. */
  readonly service: string;
  /** @throws REGISTRY_LISTEN_FAILED */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Answers `/v2/*` and `/oauth2/token`; for a server of one's own (TLS). */
  handler(request: IncomingMessage, response: ServerResponse): void;
  readonly directory: ImageDirectory;
  readonly administration: RegistryAdministration;
  collectGarbage(): Promise<GarbageReport>;
  /** Stops accepting, lets uploads and downloads in flight end (at most `graceMs`), records the pulls counted so far. */
  drain(graceMs: number): Promise<void>;
  /** Ends every connection and timer. Call `drain` first for a graceful end. */
  close(): Promise<void>;
}

/** What the REST API does with repositories beyond the registry protocol. */
export interface RegistryAdministration {
  listRepositories(page: {
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly repositories: readonly RepositorySummary[]; readonly nextCursor: string | null }>;
  /** @throws REGISTRY_REPOSITORY_UNKNOWN */
  listTags(
    repository: string,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly tags: readonly TagSummary[]; readonly nextCursor: string | null }>;
  /** Deletes a tag (its manifest stays) or, given a digest, a manifest with its tags. @throws REGISTRY_MANIFEST_UNKNOWN */
  remove(repository: string, reference: string, actor: string, address: string | null): Promise<void>;
  collectGarbage(): Promise<GarbageReport>;
}

export interface TagSummary {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly pushedAt: string;
  readonly pushedBy: string;
  readonly lastPulledAt: string | null;
  readonly pulls: number;
}
