// What the handlers of this folder share, and one request on its way through them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, EventBus, Logger, Randomness } from '../core/index.ts';
import type { Identity, LoginThrottle } from '../identity/index.ts';
import type { Store } from '../store/index.ts';
import type { RegistryCaches } from './caches.ts';
import type { DenialRecorder } from './denials.ts';
import type { Instruments } from './instruments.ts';
import type { PullRecorder } from './pulls.ts';
import type { TransferWatch } from './transfer-watch.ts';
import type { UploadSessions } from './upload-sessions.ts';

export interface RegistryContext {
  readonly store: Store;
  readonly identity: Identity;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly service: string;
  /** Without a slash at its end; null means the request's own host. */
  readonly externalUrl: string | null;
  readonly caches: RegistryCaches;
  readonly pulls: PullRecorder;
  readonly denials: DenialRecorder;
  readonly throttle: LoginThrottle;
  readonly uploads: UploadSessions;
  readonly transfers: TransferWatch;
  readonly instruments: Instruments;
  /** Age from which a blob link may be collected, in milliseconds. */
  readonly graceMs: number;
  readonly maxBlobBytes: number;
}

/** One request with its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Address of the socket's other end; no header is believed. */
  readonly address: string;
}
