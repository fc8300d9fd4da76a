// Puts the registry together: caches, sessions, collector and the node:http server in front of them (design.md decisions 4 and 5).
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { GiB, MiB, SCAN_IMAGE_JOB, SCAN_IMAGE_QUEUE, describeError } from '../core/index.ts';
import { LoginThrottle } from '../identity/index.ts';
import { createAdministration } from './administration.ts';
import { RegistryCaches } from './caches.ts';
import type { RegistryContext } from './context.ts';
import { DenialRecorder } from './denials.ts';
import { createImageDirectory } from './directory.ts';
import { sendError, unavailable } from './distribution-errors.ts';
import { registryErrors } from './errors.ts';
import { GarbageCollector } from './garbage.ts';
import { handleRequest } from './handler.ts';
import { Instruments } from './instruments.ts';
import { PullRecorder, consumePulls } from './pulls.ts';
import { discardBody } from './request-body.ts';
import { TransferWatch } from './transfer-watch.ts';
import type { Registry, RegistryLimits, RegistryOptions } from './types.ts';
import { UploadSessions } from './upload-sessions.ts';

const DEFAULT_SERVICE = 'breakwater-registry';
const DEFAULT_IDLE_MS = 120_000;
const HEADERS_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;
const MAX_HEADER_BYTES = 32 * 1024;
const FLUSH_PULLS_MS = 1_000;
const DRAIN_STEP_MS = 50;

/**
 * Makes a registry and reads the manifests most likely to be asked for into memory. It answers when `listen` was called.
 * @throws REGISTRY_URL_INVALID
 */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { store, identity, events, logger, clock, randomness, metrics } = options;
  const limits = options.limits ?? {};
  const externalUrl = options.externalUrl === undefined ? null : readExternalUrl(options.externalUrl);
  const caches = new RegistryCaches(store, limits.manifestCacheBytes ?? 64 * MiB);
  const uploads = new UploadSessions(store, clock, logger);
  const transfers = new TransferWatch(60_000, limits.minBytesPerMinute ?? 1_024);
  const pulls = new PullRecorder(store.journal, clock, logger, FLUSH_PULLS_MS);
  const instruments = new Instruments(metrics, {
    transfers: () => transfers.active,
    cacheBytes: () => caches.bytes,
    pulls: () => pulls.total,
  });
  const collector = new GarbageCollector(
    { store, clock, randomness, logger, instruments, objectsInUse: () => uploads.objectsInUse },
    options.gc ?? {},
  );
  const context: RegistryContext = {
    store,
    identity,
    events,
    logger,
    clock,
    randomness,
    service: options.service ?? DEFAULT_SERVICE,
    externalUrl,
    caches,
    pulls,
    denials: new DenialRecorder(store.audit, clock),
    throttle: new LoginThrottle(clock),
    uploads,
    transfers,
    instruments,
    graceMs: collector.graceMs,
    maxBlobBytes: limits.maxBlobBytes ?? 200 * GiB,
  };
  consumePulls(store);
  // A push must find the queue, also where no scanner runs.
  await store.jobs.define(SCAN_IMAGE_JOB, SCAN_IMAGE_QUEUE);
  await caches.warm();
  collector.start();
  return new NodeRegistry(context, collector, limits);
}

class NodeRegistry implements Registry {
  readonly service: string;
  readonly directory: Registry['directory'];
  readonly administration: Registry['administration'];
  readonly #context: RegistryContext;
  readonly #collector: GarbageCollector;
  readonly #server: Server;
  #requests = 0;
  #draining = false;

  constructor(context: RegistryContext, collector: GarbageCollector, limits: RegistryLimits) {
    this.service = context.service;
    this.#context = context;
    this.#collector = collector;
    this.directory = createImageDirectory(context.store);
    this.administration = createAdministration(context, collector);
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, noDelay: true });
    // A slow upload may take hours, so only silence ends a connection, never the length of a request.
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = HEADERS_MS;
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.timeout = limits.idleTimeoutMs ?? DEFAULT_IDLE_MS;
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      this.handler(request, response);
    };
    this.#server.on('request', handler);
    // Whoever asks before sending is answered before sending: `request-body.ts` says when a body is welcome.
    this.#server.on('checkContinue', handler);
  }

  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        reject(
          registryErrors.create(
            'REGISTRY_LISTEN_FAILED',
            { host, port, reason: describeError(error) },
            error,
          ),
        );
      };
      this.#server.once('error', onError);
      const onListening = (): void => {
        this.#server.off('error', onError);
        this.#server.on('error', (error) => {
          this.#context.logger.error({ err: error }, `registry server: ${describeError(error)}`);
        });
        const address = this.#server.address();
        resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port });
      };
      try {
        this.#server.listen({ host, port }, onListening);
      } catch (error) {
        onError(error instanceof Error ? error : new Error('the port is not valid'));
      }
    });
  }

  handler(request: IncomingMessage, response: ServerResponse): void {
    if (this.#draining) {
      response.setHeader('connection', 'close');
      sendError(response, unavailable('the registry is shutting down'));
      discardBody(request);
      return;
    }
    this.#requests++;
    handleRequest(this.#context, request, response)
      .catch((error: unknown) => {
        this.#context.logger.error({ err: error }, `registry request: ${describeError(error)}`);
        response.destroy();
      })
      .finally(() => {
        this.#requests--;
      });
  }

  collectGarbage(): ReturnType<Registry['collectGarbage']> {
    return this.#collector.collect();
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    if (this.#server.listening) this.#server.close();
    this.#server.closeIdleConnections();
    const deadline = performance.now() + graceMs;
    while (this.#requests > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
    }
    if (this.#requests > 0) {
      this.#context.logger.warn(
        { requests: this.#requests },
        'requests did not end in time and are broken off',
      );
      this.#server.closeAllConnections();
      // Their handlers still make durable what came of the uploads.
      const settled = performance.now() + 5_000;
      while (this.#requests > 0 && performance.now() < settled) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
      }
    }
    await this.#context.pulls.flush();
  }

  async close(): Promise<void> {
    await this.drain(0);
    this.#server.closeAllConnections();
    await this.#collector.close();
    await this.#context.uploads.close();
    this.#context.pulls.close();
    this.#context.transfers.close();
    this.#context.caches.close();
  }
}

function readExternalUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  if (!isOrigin) throw registryErrors.create('REGISTRY_URL_INVALID', { url: text.slice(0, 200) });
  return url.origin;
}
