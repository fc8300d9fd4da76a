// The two jobs of webhooks: events become deliveries, deliveries are sent with retries and back-off.
import { batches, describeError, MAX_ROWS_PER_TRANSACTION } from '../../core/index.ts';
import type { Clock, Logger, Randomness } from '../../core/index.ts';
import { type Database, type DatabaseTransaction, type Store, withTransaction } from '../../store/index.ts';
import { DISPATCH_JOB } from '../event-outbox.ts';
import type { ServerTables } from '../tables.ts';
import { type StoredEvent, cloudEventBody } from './cloud-event.ts';
import type { SecretBox } from './secret-box.ts';
import { sendDelivery } from './sending.ts';
import { findDelivery, findWebhook, insertDeliveries, listWebhooks, recordAttempt } from './store.ts';

export const DELIVERY_JOB = 'webhook-delivery';

/** Retries after the first attempt: about 17 hours in all. */
const DELIVERY_RETRIES = 12;
const FIRST_RETRY_SECONDS = 15;
/** Events kept for processes and people that look back. */
const EVENTS_KEPT = 10_000;
const DELIVERIES_KEPT_MS = 30 * 24 * 60 * 60 * 1000;
/** Events turned into deliveries in one transaction; each has at most `MAX_WEBHOOKS` deliveries. */
const DISPATCH_BATCH = 20;

export interface WebhookJobOptions {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** May any webhook reach private addresses (`--webhook-allow-private`)? */
  readonly allowPrivate: boolean;
}

/** Declares the queues; every process that may enqueue does. */
export async function defineWebhookJobs(store: Store): Promise<void> {
  await store.jobs.define(DISPATCH_JOB, { retryLimit: 20, retryDelaySeconds: 2, expireSeconds: 60 });
  await store.jobs.define(DELIVERY_JOB, {
    retryLimit: DELIVERY_RETRIES,
    retryDelaySeconds: FIRST_RETRY_SECONDS,
    expireSeconds: 60,
  });
}

/** Starts working both queues in this process. */
export async function workWebhookJobs(options: WebhookJobOptions): Promise<void> {
  const { jobs } = options.store;
  await jobs.work(DISPATCH_JOB, { concurrency: 1 }, () => dispatchEvents(options));
  await jobs.work(DELIVERY_JOB, { concurrency: 4 }, async (job) => {
    const { delivery } = job.payload;
    if (typeof delivery === 'string') await deliver(delivery, options, job.signal);
  });
}

/** Adds deliveries and their jobs in the caller's transaction. */
export async function enqueueDeliveries(
  store: Store,
  transaction: DatabaseTransaction,
  deliveries: Parameters<typeof insertDeliveries>[1],
): Promise<void> {
  await insertDeliveries(transaction, deliveries);
  for (const delivery of deliveries) {
    await store.jobs.enqueue(DELIVERY_JOB, { delivery: delivery.id }, { transaction });
  }
}

async function dispatchEvents(options: WebhookJobOptions): Promise<void> {
  const { store } = options;
  for (let dispatched = true; dispatched; ) {
    dispatched = await withTransaction(store.db, (transaction) => dispatchBatch(transaction, options));
    store.jobs.wake(DELIVERY_JOB);
  }
  await prune(store.db, options.clock);
}

/**
 * Resolves false when nothing was waiting. Locked rows belong to another process that dispatches them. A webhook gets
 * what happened since it was made, not what was still waiting here.
 */
async function dispatchBatch(transaction: DatabaseTransaction, options: WebhookJobOptions): Promise<boolean> {
  const tables = transaction.withTables<ServerTables>();
  const rows = await tables
    .selectFrom('server_events')
    .select(['id', 'name', 'at', 'body'])
    .where('dispatched', '=', false)
    .orderBy('sequence')
    .limit(DISPATCH_BATCH)
    .forUpdate()
    .skipLocked()
    .execute();
  if (rows.length === 0) return false;
  const webhooks = (await listWebhooks(transaction)).filter((webhook) => webhook.enabled);
  const at = new Date(options.clock.now());
  const deliveries = rows.flatMap((row) => {
    const event: StoredEvent = { id: row.id, name: row.name, at: row.at.toISOString(), body: row.body };
    return webhooks
      .filter((webhook) => webhook.events.includes(event.name) && webhook.createdAt <= event.at)
      .map((webhook) => ({
        id: options.randomness.uuid(),
        webhook: webhook.id,
        event,
        body: cloudEventBody(event),
        at,
      }));
  });
  for (const batch of batches(deliveries, MAX_ROWS_PER_TRANSACTION)) {
    await enqueueDeliveries(options.store, transaction, batch);
  }
  const ids = rows.map((row) => row.id);
  await tables.updateTable('server_events').set({ dispatched: true }).where('id', 'in', ids).execute();
  return true;
}

/** Sends one delivery and writes the log line. Rejects when it was not taken, so that the job is retried. */
async function deliver(id: string, options: WebhookJobOptions, signal: AbortSignal): Promise<void> {
  const { store, clock, logger } = options;
  const delivery = await findDelivery(store.db, id);
  if (delivery === undefined || delivery.status === 'delivered') return;
  const webhook = await findWebhook(store.db, delivery.webhook);
  if (webhook === undefined) return;
  if (!webhook.enabled) {
    await recordAttempt(store.db, id, {
      status: 'failed',
      responseStatus: null,
      responseBody: null,
      error: 'the webhook is disabled',
      at: new Date(clock.now()),
    });
    return;
  }
  const outcome = await sendDelivery({ webhook, delivery, ...options, signal });
  const last = delivery.attempts >= DELIVERY_RETRIES;
  await recordAttempt(store.db, id, {
    status: outcome.accepted ? 'delivered' : last ? 'failed' : 'retrying',
    responseStatus: outcome.responseStatus,
    responseBody: outcome.responseBody,
    error: outcome.error === null ? null : describeError(outcome.error),
    at: new Date(clock.now()),
  });
  if (outcome.error !== null) {
    logger.warn(
      { webhook: webhook.name, delivery: id },
      `webhook delivery failed: ${describeError(outcome.error)}`,
    );
    throw outcome.error;
  }
}

/** Old events and log lines go, a bounded number at a time. */
async function prune(db: Database, clock: Clock): Promise<void> {
  const tables = db.withTables<ServerTables>();
  const newest = await tables
    .selectFrom('server_events')
    .select('sequence')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest !== undefined) {
    await tables
      .deleteFrom('server_events')
      .where('id', 'in', (inner) =>
        inner
          .selectFrom('server_events')
          .select('id')
          .where('sequence', '<', String(BigInt(newest.sequence) - BigInt(EVENTS_KEPT)))
          .where('dispatched', '=', true)
          .limit(MAX_ROWS_PER_TRANSACTION),
      )
      .execute();
  }
  await tables
    .deleteFrom('server_webhook_deliveries')
    .where('id', 'in', (inner) =>
      inner
        .selectFrom('server_webhook_deliveries')
        .select('id')
        .where('created_at', '<', new Date(clock.now() - DELIVERIES_KEPT_MS))
        .limit(MAX_ROWS_PER_TRANSACTION),
    )
    .execute();
}
