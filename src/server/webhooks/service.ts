// Webhooks as administrators see them: made, changed, tested, deleted, their log and redelivery.
import type { Clock, Randomness } from '../../core/index.ts';
import { type DatabaseTransaction, type Store, withTransaction } from '../../store/index.ts';
import { serverErrors } from '../errors.ts';
import { PING_EVENT, cloudEventBody } from './cloud-event.ts';
import { DELIVERY_JOB, enqueueDeliveries } from './jobs.ts';
import type { SecretBox } from './secret-box.ts';
import { makeSecret } from './signature.ts';
import {
  type Delivery,
  type Webhook,
  deleteWebhook,
  findDelivery,
  insertWebhook,
  listDeliveries,
  listWebhooks,
  updateWebhook,
} from './store.ts';

/** Keeps one event from becoming more rows than one transaction may write. */
export const MAX_WEBHOOKS = 20;

export interface WebhookServiceOptions {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly allowPrivate: boolean;
}

/** Who asks, for the audit trail. */
export interface Actor {
  readonly name: string;
  readonly address: string | null;
}

/** What an administrator may set. */
export interface WebhookSettings {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
  readonly allowPrivateAddresses?: boolean | undefined;
}

export class WebhookService {
  readonly #options: WebhookServiceOptions;

  constructor(options: WebhookServiceOptions) {
    this.#options = options;
  }

  list(): Promise<readonly Webhook[]> {
    return listWebhooks(this.#options.store.db);
  }

  /** @throws SERVER_NOT_FOUND */
  async get(id: string): Promise<Webhook> {
    const found = (await this.list()).find((webhook) => webhook.id === id);
    if (found === undefined) throw notFound(id);
    return found;
  }

  /**
   * Makes a webhook with a new secret, which is shown this once.
   * @throws SERVER_WEBHOOK_URL_INVALID, SERVER_WEBHOOK_PRIVATE_REFUSED, SERVER_WEBHOOK_NAME_TAKEN, SERVER_WEBHOOK_LIMIT
   */
  async create(
    name: string,
    settings: WebhookSettings & { readonly url: string; readonly events: readonly string[] },
    actor: Actor,
  ): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
    this.#check(settings);
    const { randomness, secrets } = this.#options;
    const id = randomness.uuid();
    const secret = makeSecret(randomness);
    const at = this.#now();
    const webhook: Webhook = {
      id,
      name,
      url: settings.url,
      events: [...new Set(settings.events)],
      enabled: settings.enabled ?? true,
      allowPrivateAddresses: settings.allowPrivateAddresses ?? false,
      createdBy: actor.name,
      createdAt: at,
      updatedAt: at,
    };
    await this.#change('webhook.create', name, actor, async (transaction) => {
      if ((await listWebhooks(transaction)).length >= MAX_WEBHOOKS) {
        throw serverErrors.create('SERVER_WEBHOOK_LIMIT', { count: MAX_WEBHOOKS });
      }
      const made = await insertWebhook(transaction, { ...webhook, secret: secrets.seal(id, secret) });
      if (!made) throw serverErrors.create('SERVER_WEBHOOK_NAME_TAKEN', { name });
    });
    return { webhook, secret };
  }

  /** @throws SERVER_NOT_FOUND and what `create` throws */
  async update(id: string, settings: WebhookSettings, actor: Actor): Promise<Webhook> {
    this.#check(settings);
    const { url, events, enabled, allowPrivateAddresses } = settings;
    await this.#change('webhook.update', id, actor, async (transaction) => {
      const changed = await updateWebhook(transaction, id, {
        updatedAt: this.#now(),
        ...(url === undefined ? {} : { url }),
        ...(events === undefined ? {} : { events: [...new Set(events)] }),
        ...(enabled === undefined ? {} : { enabled }),
        ...(allowPrivateAddresses === undefined ? {} : { allowPrivateAddresses }),
      });
      if (!changed) throw notFound(id);
    });
    return this.get(id);
  }

  /** Replaces the secret; the old one stops signing at once. */
  async renewSecret(id: string, actor: Actor): Promise<string> {
    const secret = makeSecret(this.#options.randomness);
    await this.#change('webhook.secret', id, actor, async (transaction) => {
      const sealed = this.#options.secrets.seal(id, secret);
      if (!(await updateWebhook(transaction, id, { secret: sealed, updatedAt: this.#now() })))
        throw notFound(id);
    });
    return secret;
  }

  async delete(id: string, actor: Actor): Promise<void> {
    await this.#change('webhook.delete', id, actor, async (transaction) => {
      if (!(await deleteWebhook(transaction, id))) throw notFound(id);
    });
  }

  /** Sends an event that only tests the receiver. Resolves to the delivery's id. */
  async ping(id: string, actor: Actor): Promise<string> {
    const webhook = await this.get(id);
    const event = {
      id: this.#options.randomness.uuid(),
      name: PING_EVENT,
      at: this.#now(),
      body: { webhook: webhook.name },
    };
    return this.#enqueue('webhook.ping', id, event, cloudEventBody(event), actor);
  }

  /** @throws SERVER_NOT_FOUND */
  async deliveries(
    id: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ readonly deliveries: readonly Delivery[]; readonly nextCursor: string | null }> {
    await this.get(id);
    return listDeliveries(this.#options.store.db, id, limit, cursor);
  }

  /** Sends the same bytes again, as a delivery of its own. Resolves to its id. */
  async redeliver(id: string, deliveryId: string, actor: Actor): Promise<string> {
    const delivery = await findDelivery(this.#options.store.db, deliveryId);
    if (delivery === undefined || delivery.webhook !== id) {
      throw serverErrors.create('SERVER_NOT_FOUND', { what: `delivery ${deliveryId}` });
    }
    const event = { id: delivery.eventId, name: delivery.event };
    return this.#enqueue('webhook.redeliver', id, event, delivery.body, actor);
  }

  async #enqueue(
    action: string,
    webhook: string,
    event: { readonly id: string; readonly name: string },
    body: string,
    actor: Actor,
  ): Promise<string> {
    const { store, randomness, clock } = this.#options;
    const delivery = randomness.uuid();
    await this.#change(action, webhook, actor, async (transaction) => {
      const at = new Date(clock.now());
      await enqueueDeliveries(store, transaction, [{ id: delivery, webhook, event, body, at }]);
    });
    store.jobs.wake(DELIVERY_JOB);
    return delivery;
  }

  async #change(
    action: string,
    target: string,
    actor: Actor,
    change: (transaction: DatabaseTransaction) => Promise<void>,
  ): Promise<void> {
    const { store } = this.#options;
    await withTransaction(store.db, async (transaction) => {
      await change(transaction);
      await store.audit.record(transaction, {
        action,
        actor: actor.name,
        target,
        result: 'success',
        address: actor.address,
      });
    });
  }

  #check(settings: WebhookSettings): void {
    if (settings.allowPrivateAddresses === true && !this.#options.allowPrivate) {
      throw serverErrors.create('SERVER_WEBHOOK_PRIVATE_REFUSED');
    }
    if (settings.url !== undefined) checkUrl(settings.url);
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

function checkUrl(text: string): void {
  const refuse = (reason: string): Error =>
    serverErrors.create('SERVER_WEBHOOK_URL_INVALID', { url: text.slice(0, 200), reason });
  if (!URL.canParse(text)) throw refuse('it is not an address');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('it is neither http nor https');
  if (url.username !== '' || url.password !== '') throw refuse('it holds a user name or password');
}

function notFound(id: string): Error {
  return serverErrors.create('SERVER_NOT_FOUND', { what: `webhook ${id}` });
}
