// Starts and ends a server: store, identity, registry, scans, webhooks, API, in this order; the end in the other one.
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import {
  createMetrics,
  describeError,
  EventBus,
  type Metrics,
  SCAN_IMAGE_JOB,
  SCAN_IMAGE_QUEUE,
  systemErrorCode,
} from '../core/index.ts';
import { type ClosableIdentity, createIdentity } from '../identity/index.ts';
import { createRegistry, type Registry } from '../registry/index.ts';
import { createScanService, type ScanService, startAdvisoryUpdates } from '../scan/index.ts';
import { isRestoreUnfinished, openStore, type Store } from '../store/index.ts';
import { createApplication } from './application.ts';
import type { Readiness } from './context.ts';
import { serverErrors } from './errors.ts';
import { startEventOutbox } from './event-outbox.ts';
import { EventStream } from './event-stream.ts';
import { measureEvents } from './instruments.ts';
import { OpenConnections } from './open-connections.ts';
import { clearBackupFolder } from './routes/backup.ts';
import { scannerAccess } from './scanner-access.ts';
import { removeServerFile, writeServerFile } from './server-file.ts';
import { ShutdownSteps } from './shutdown.ts';
import type { ListenAddress, RunningServer, ServerConfiguration } from './types.ts';
import { defineWebhookJobs, workWebhookJobs } from './webhooks/jobs.ts';
import { openSecretBox } from './webhooks/secret-box.ts';
import { WebhookService } from './webhooks/service.ts';

/** How long uploads and downloads in flight, then jobs, may take to end, in milliseconds. */
const TRANSFER_GRACE_MS = 15_000;
const JOB_GRACE_MS = 5_000;
const CLOSE_STEP_MS = 50;

/**
 * Starts everything the role asks for and resolves when it answers. On failure what was started is ended again.
 * @throws SERVER_…, STORE_…, IDENTITY_…, REGISTRY_…, ADVISORIES_… errors
 */
export async function startServer(configuration: ServerConfiguration): Promise<RunningServer> {
  checkRole(configuration);
  const shutdown = new ShutdownSteps(configuration.logger);
  try {
    return await startParts(configuration, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

function checkRole({ role, databaseUrl, registryUrl }: ServerConfiguration): void {
  if (role === 'all') return;
  if (databaseUrl === undefined) throw serverErrors.create('SERVER_ROLE_NEEDS_DATABASE', { role });
  if (role === 'worker' && registryUrl === undefined) throw serverErrors.create('SERVER_ROLE_NEEDS_REGISTRY');
}

async function startParts(
  configuration: ServerConfiguration,
  shutdown: ShutdownSteps,
): Promise<RunningServer> {
  const { dataDirectory, logger, clock, randomness, role } = configuration;
  const metrics = createMetrics();
  const events = new EventBus(logger);
  const store = await openStore({
    dataDirectory,
    logger,
    clock,
    randomness,
    metrics,
    ...(configuration.databaseUrl === undefined ? {} : { databaseUrl: configuration.databaseUrl }),
  });
  shutdown.add('store', () => store.close());
  if (await isRestoreUnfinished(store.db))
    throw serverErrors.create('SERVER_RESTORE_UNFINISHED', { dataDirectory });
  const keyDirectory = join(dataDirectory, 'keys');
  const identity = await createIdentity({ store, keyDirectory, clock, randomness, logger });
  shutdown.add('identity', () => identity.close());
  const stream = new EventStream(() => clock.now());
  const outbox = startEventOutbox({
    store,
    events,
    clock,
    randomness,
    logger,
    onEvent: (event) => stream.publish(event),
  });
  shutdown.add('journal', () => store.journal.drain());
  shutdown.add('events', () => outbox.stop());
  await defineWebhookJobs(store);
  const registry = await createRegistry({
    store,
    identity,
    events,
    logger,
    metrics,
    clock,
    randomness,
    ...(configuration.registryUrl === undefined ? {} : { externalUrl: configuration.registryUrl }),
  });
  shutdown.add('registry', () => registry.close());
  const parts = { configuration, store, identity, registry, stream, events, metrics, shutdown };

  const registryListens = role === 'all' || role === 'registry';
  const place = registryListens ? Promise.withResolvers<ListenAddress>() : null;
  const scans = createScans(parts, place?.promise ?? null);
  // Queues exist before the registry listens: a push enqueues its scan in its own transaction.
  if (role === 'all' || role === 'worker') await startWork(parts, scans);
  else await store.jobs.define(SCAN_IMAGE_JOB, SCAN_IMAGE_QUEUE);
  const listening = place === null ? null : await listenRegistry(parts);
  if (listening !== null) place?.resolve(listening);
  const registryAddress = listening === null ? null : formatAddress(listening);
  const listensApi = role === 'all' || role === 'api';
  const apiUrl = listensApi ? await listenApi(parts, scans, registryAddress) : null;
  // Last, so that a start that fails does not swallow the only showing of the password.
  const credential = configuration.newPassword
    ? await identity.resetAdministrator()
    : await identity.ensureAdministrator();
  logger.info({ api: apiUrl, registry: registryAddress, role, database: store.kind }, 'ready');
  return { apiUrl, registryAddress, credential, stop: () => shutdown.run() };
}

interface Parts {
  readonly configuration: ServerConfiguration;
  readonly store: Store;
  readonly identity: ClosableIdentity;
  readonly registry: Registry;
  readonly stream: EventStream;
  readonly events: EventBus;
  readonly metrics: Metrics;
  readonly shutdown: ShutdownSteps;
}

async function listenRegistry({ configuration, registry, shutdown }: Parts): Promise<ListenAddress> {
  const { host, port } = configuration.registryListen;
  try {
    const address = await registry.listen(host, port);
    shutdown.add('uploads', () => registry.drain(TRANSFER_GRACE_MS));
    return address;
  } catch (error) {
    throw listenError(error, configuration.registryListen, '--registry-listen');
  }
}

function createScans(parts: Parts, listening: Promise<ListenAddress> | null): ScanService {
  const { configuration, store, registry, events, metrics, identity } = parts;
  const { logger, clock, advisoriesPath, scanConcurrency, rescanAfterDays } = configuration;
  return createScanService({
    store,
    directory: registry.directory,
    events,
    logger,
    metrics,
    clock,
    ...(advisoriesPath === undefined ? {} : { advisoriesPath }),
    concurrency: scanConcurrency,
    ...(rescanAfterDays === undefined ? {} : { rescanAfterDays }),
    registryAccess: scannerAccess(identity, registry.service, listening, configuration.registryUrl),
  });
}

async function startWork({ configuration, store, shutdown }: Parts, scans: ScanService): Promise<void> {
  const { dataDirectory, randomness, clock, logger, webhookAllowPrivate } = configuration;
  const secrets = await openSecretBox(join(dataDirectory, 'keys', 'webhook-secrets'), randomness);
  shutdown.add('jobs', () => store.jobs.stop(JOB_GRACE_MS));
  shutdown.add('scans', () => scans.stop());
  await scans.start();
  await workWebhookJobs({ store, secrets, clock, randomness, logger, allowPrivate: webhookAllowPrivate });
  const { advisoryUpdates, advisoriesPath } = configuration;
  if (advisoryUpdates === undefined || advisoriesPath === undefined) return;
  const updates = startAdvisoryUpdates({
    ...advisoryUpdates,
    cacheDirectory: join(dataDirectory, 'advisories'),
    place: advisoriesPath,
    clock,
    logger,
  });
  shutdown.add('advisory updates', () => Promise.resolve(updates.stop()));
}

async function listenApi(parts: Parts, scans: ScanService, registryAddress: string | null): Promise<string> {
  const { configuration, store, identity, registry, stream, events, metrics, shutdown } = parts;
  const { dataDirectory, randomness, clock, logger, webhookAllowPrivate, version } = configuration;
  await clearBackupFolder(dataDirectory);
  const secrets = await openSecretBox(join(dataDirectory, 'keys', 'webhook-secrets'), randomness);
  const readiness: Readiness = { stopping: false };
  const webhooks = new WebhookService({
    store,
    secrets,
    clock,
    randomness,
    allowPrivate: webhookAllowPrivate,
  });
  measureEvents(events, stream, metrics);
  const app = await createApplication(
    {
      store,
      identity,
      stream,
      webhooks,
      readiness,
      logger,
      metrics,
      clock,
      randomness,
      version,
      service: registry.service,
      directory: registry.directory,
      registryAddress,
      advisoriesPath: configuration.advisoriesPath,
    },
    { administration: registry.administration, scans },
  );
  const connections = new OpenConnections(app.server);
  const url = await listen(app, configuration.listen);
  shutdown.add('api', async () => {
    readiness.stopping = true;
    stream.close();
    await closeApplication(app, connections);
  });
  const startedAt = new Date(clock.now()).toISOString();
  await writeServerFile(dataDirectory, { pid: process.pid, api: url, registry: registryAddress, startedAt });
  shutdown.add('server file', () => removeServerFile(dataDirectory));
  return url;
}

/** Answers under way may end; a connection that only waits for its next request is closed as soon as it does. */
async function closeApplication(app: FastifyInstance, connections: OpenConnections): Promise<void> {
  const idle = setInterval(() => connections.closeIdle(), CLOSE_STEP_MS);
  const late = setTimeout(() => connections.closeAll(), TRANSFER_GRACE_MS);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
    clearTimeout(late);
  }
}

async function listen(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, { host, port }, '--listen');
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${formatAddress({ host, port: actual })}`;
}

function listenError(error: unknown, address: ListenAddress, option: string): Error {
  const text = formatAddress(address);
  if (systemErrorCode(error) === 'EADDRINUSE') {
    return serverErrors.create('SERVER_ADDRESS_IN_USE', { address: text, option }, error);
  }
  const reason = describeError(error);
  return serverErrors.create('SERVER_ADDRESS_UNUSABLE', { address: text, option, reason }, error);
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
