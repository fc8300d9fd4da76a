// What the server is started with and what it offers once it runs.
import type { Clock, Logger, Randomness } from '../core/index.ts';
import type { Credential } from '../identity/index.ts';
import type { AdvisoryUpdateOptions } from '../scan/index.ts';

/** What one process does; `all` is one server on one data directory. */
export const SERVER_ROLES = ['all', 'registry', 'api', 'worker'] as const;
export type ServerRole = (typeof SERVER_ROLES)[number];

export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface ServerConfiguration {
  readonly dataDirectory: string;
  /** A PostgreSQL server instead of the embedded database. */
  readonly databaseUrl?: string;
  readonly role: ServerRole;
  /** REST API and pages. */
  readonly listen: ListenAddress;
  readonly registryListen: ListenAddress;
  /** Address of the registry as clients reach it, e.g. `https://registry.example`; also where a worker pulls from. */
  readonly registryUrl?: string;
  /** An advisory file. Without it, or before `advisories update` has put one at its place, the starter advisories are used. */
  readonly advisoriesPath?: string;
  /** Keep the advisory file up to date from these sources and mirrors; off when left out. */
  readonly advisoryUpdates?: Pick<AdvisoryUpdateOptions, 'everyMs' | 'sources' | 'mirrors'>;
  /** May webhooks be sent to private addresses where the webhook says so? */
  readonly webhookAllowPrivate: boolean;
  /** Images scanned at the same time. */
  readonly scanConcurrency: number;
  /** Days after which every image is scanned again when catalogers changed. */
  readonly rescanAfterDays?: number;
  /** Give the administrator a new password; the old one and its tokens stop working. */
  readonly newPassword: boolean;
  readonly version: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export interface RunningServer {
  /** `http://host:port` of the REST API; null where the role has none. */
  readonly apiUrl: string | null;
  /** `host:port` of the registry; null where the role has none. */
  readonly registryAddress: string | null;
  /** The administrator's credential when it was made just now, on new data or by `newPassword`; it is not kept and not shown again. */
  readonly credential: Credential | null;
  /**
   * Graceful end: not ready any more, no new connections, uploads in flight end, jobs end, everything is written.
   * Takes at most about 30 seconds.
   */
  stop(): Promise<void>;
}
