// What the routes of this folder share.
import type { Clock, ImageDirectory, Logger, Metrics, Randomness } from '../core/index.ts';
import type { Access, Identity } from '../identity/index.ts';
import type { Store } from '../store/index.ts';
import type { EventStream } from './event-stream.ts';
import type { WebhookService } from './webhooks/service.ts';

/** Whether the server should get traffic; read by `/readyz`. */
export interface Readiness {
  stopping: boolean;
}

export interface ServerContext {
  readonly store: Store;
  readonly identity: Identity;
  /** The audience of bearer tokens. */
  readonly service: string;
  readonly directory: ImageDirectory;
  readonly stream: EventStream;
  readonly webhooks: WebhookService;
  readonly readiness: Readiness;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly version: string;
  /** `host:port` of the registry, to show; null where another process serves it. */
  readonly registryAddress: string | null;
  readonly advisoriesPath: string | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking; null only on public paths. */
    access: Access | null;
  }
  interface FastifyContextConfig {
    /** Answers without a credential. */
    public?: boolean;
  }
}
