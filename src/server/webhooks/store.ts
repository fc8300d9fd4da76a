// The SQL of webhooks and their deliveries.
import type { Database, DatabaseTransaction } from '../../store/index.ts';
import type { DeliveryStatus, ServerTables } from '../tables.ts';
import type { StoredEvent } from './cloud-event.ts';

/** A webhook without its secret. */
export interface Webhook {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly allowPrivateAddresses: boolean;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface WebhookWithSecret extends Webhook {
  readonly secret: Buffer;
}

/** One line of the delivery log. */
export interface Delivery {
  readonly id: string;
  readonly webhook: string;
  readonly eventId: string;
  readonly event: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  readonly error: string | null;
  readonly createdAt: string;
  readonly attemptedAt: string | null;
  readonly deliveredAt: string | null;
}

/** A delivery about to be written. */
export interface NewDelivery {
  readonly id: string;
  readonly webhook: string;
  readonly event: Pick<StoredEvent, 'id' | 'name'>;
  readonly body: string;
  readonly at: Date;
}

/** How one attempt went. */
export interface Attempt {
  readonly status: DeliveryStatus;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  readonly error: string | null;
  readonly at: Date;
}

const webhookColumns = [
  'id',
  'name',
  'url',
  'events',
  'enabled',
  'allow_private_addresses',
  'created_by',
  'created_at',
  'updated_at',
] as const;

const deliveryColumns = [
  'id',
  'sequence',
  'webhook',
  'event_id',
  'event_name',
  'status',
  'attempts',
  'response_status',
  'response_body',
  'error',
  'created_at',
  'attempted_at',
  'delivered_at',
] as const;

type WebhookRow = {
  id: string;
  name: string;
  url: string;
  events: string[];
  enabled: boolean;
  allow_private_addresses: boolean;
  created_by: string;
  created_at: Date;
  updated_at: Date;
};

/** Oldest first; there are few. */
export async function listWebhooks(db: Database | DatabaseTransaction): Promise<readonly Webhook[]> {
  const rows = await tables(db)
    .selectFrom('server_webhooks')
    .select(webhookColumns)
    .orderBy('created_at')
    .execute();
  return rows.map(toWebhook);
}

export async function findWebhook(db: Database, id: string): Promise<WebhookWithSecret | undefined> {
  const row = await tables(db)
    .selectFrom('server_webhooks')
    .select([...webhookColumns, 'secret'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { ...toWebhook(row), secret: row.secret };
}

/** False when the name is taken. */
export async function insertWebhook(
  transaction: DatabaseTransaction,
  webhook: WebhookWithSecret,
): Promise<boolean> {
  const rows = await tables(transaction)
    .insertInto('server_webhooks')
    .values({
      id: webhook.id,
      name: webhook.name,
      url: webhook.url,
      events: [...webhook.events],
      enabled: webhook.enabled,
      allow_private_addresses: webhook.allowPrivateAddresses,
      secret: webhook.secret,
      created_by: webhook.createdBy,
      created_at: webhook.createdAt,
      updated_at: webhook.updatedAt,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .execute();
  return rows.length === 1;
}

/** Sets what is given; false when there is no such webhook. */
export async function updateWebhook(
  transaction: DatabaseTransaction,
  id: string,
  change: {
    readonly url?: string;
    readonly events?: readonly string[];
    readonly enabled?: boolean;
    readonly allowPrivateAddresses?: boolean;
    readonly secret?: Buffer;
    readonly updatedAt: string;
  },
): Promise<boolean> {
  const rows = await tables(transaction)
    .updateTable('server_webhooks')
    .set({
      updated_at: change.updatedAt,
      ...(change.url === undefined ? {} : { url: change.url }),
      ...(change.events === undefined ? {} : { events: [...change.events] }),
      ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
      ...(change.allowPrivateAddresses === undefined
        ? {}
        : { allow_private_addresses: change.allowPrivateAddresses }),
      ...(change.secret === undefined ? {} : { secret: change.secret }),
    })
    .where('id', '=', id)
    .returning('id')
    .execute();
  return rows.length === 1;
}

/** Deletes a webhook and its log; false when there is none. */
export async function deleteWebhook(transaction: DatabaseTransaction, id: string): Promise<boolean> {
  const rows = await tables(transaction)
    .deleteFrom('server_webhooks')
    .where('id', '=', id)
    .returning('id')
    .execute();
  return rows.length === 1;
}

export async function insertDeliveries(
  transaction: DatabaseTransaction,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  await tables(transaction)
    .insertInto('server_webhook_deliveries')
    .values(
      deliveries.map((delivery) => ({
        id: delivery.id,
        webhook: delivery.webhook,
        event_id: delivery.event.id,
        event_name: delivery.event.name,
        body: delivery.body,
        status: 'pending' as const,
        created_at: delivery.at,
      })),
    )
    .execute();
}

/** A delivery with what is to be sent. */
export async function findDelivery(
  db: Database,
  id: string,
): Promise<(Delivery & { readonly body: string }) | undefined> {
  const row = await tables(db)
    .selectFrom('server_webhook_deliveries')
    .select([...deliveryColumns, 'body'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { ...toDelivery(row), body: row.body };
}

/** Newest first, `before` being the sequence number of the page before. */
export async function listDeliveries(
  db: Database,
  webhook: string,
  limit: number,
  before: string | undefined,
): Promise<{ readonly deliveries: readonly Delivery[]; readonly nextCursor: string | null }> {
  let query = tables(db)
    .selectFrom('server_webhook_deliveries')
    .select(deliveryColumns)
    .where('webhook', '=', webhook)
    .orderBy('sequence', 'desc')
    .limit(limit + 1);
  if (before !== undefined) query = query.where('sequence', '<', before);
  const rows = await query.execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    deliveries: page.map(toDelivery),
    nextCursor: rows.length > limit && last !== undefined ? last.sequence : null,
  };
}

export async function recordAttempt(db: Database, id: string, attempt: Attempt): Promise<void> {
  await tables(db)
    .updateTable('server_webhook_deliveries')
    .set((builder) => ({
      status: attempt.status,
      attempts: builder('attempts', '+', 1),
      response_status: attempt.responseStatus,
      response_body: attempt.responseBody,
      error: attempt.error,
      attempted_at: attempt.at,
      ...(attempt.status === 'delivered' ? { delivered_at: attempt.at } : {}),
    }))
    .where('id', '=', id)
    .execute();
}

function tables(db: Database | DatabaseTransaction) {
  return db.withTables<ServerTables>();
}

function toWebhook(row: WebhookRow): Webhook {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    events: row.events,
    enabled: row.enabled,
    allowPrivateAddresses: row.allow_private_addresses,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function toDelivery(row: {
  id: string;
  webhook: string;
  event_id: string;
  event_name: string;
  status: DeliveryStatus;
  attempts: number;
  response_status: number | null;
  response_body: string | null;
  error: string | null;
  created_at: Date;
  attempted_at: Date | null;
  delivered_at: Date | null;
}): Delivery {
  return {
    id: row.id,
    webhook: row.webhook,
    eventId: row.event_id,
    event: row.event_name,
    status: row.status,
    attempts: row.attempts,
    responseStatus: row.response_status,
    responseBody: row.response_body,
    error: row.error,
    createdAt: row.created_at.toISOString(),
    attemptedAt: row.attempted_at?.toISOString() ?? null,
    deliveredAt: row.delivered_at?.toISOString() ?? null,
  };
}
