// Sends one webhook delivery: signed, guarded against private addresses, bounded in time and in what it reads back.
import { BreakwaterError, type Clock, httpSend, type HttpResponse } from '../../core/index.ts';
import { serverErrors } from '../errors.ts';
import { CLOUD_EVENT_MEDIA_TYPE } from './cloud-event.ts';
import type { SecretBox } from './secret-box.ts';
import { SIGNATURE_HEADER, signBody } from './signature.ts';
import type { Delivery, WebhookWithSecret } from './store.ts';

/** Longest a receiver may take, in milliseconds. */
const TIME_LIMIT_MS = 15_000;
/** First bytes of the answer kept in the delivery log. */
const ANSWER_BYTES = 1024;

export interface DeliveryOutcome {
  readonly accepted: boolean;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  readonly error: BreakwaterError | Error | null;
}

export interface SendingOptions {
  readonly webhook: WebhookWithSecret;
  readonly delivery: Pick<Delivery, 'id' | 'event'> & { readonly body: string };
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
}

/** Never rejects: how it went is the result. Only a status of 200–299 counts as accepted. */
export async function sendDelivery(options: SendingOptions): Promise<DeliveryOutcome> {
  const { webhook, delivery, clock } = options;
  const secret = options.secrets.open(webhook.id, webhook.secret);
  if (secret === undefined) {
    return failed(serverErrors.create('SERVER_WEBHOOK_SECRET_UNREADABLE', { name: webhook.name }));
  }
  try {
    const response = await httpSend({
      method: 'POST',
      url: new URL(webhook.url),
      body: delivery.body,
      headers: {
        'content-type': CLOUD_EVENT_MEDIA_TYPE,
        'content-length': String(Buffer.byteLength(delivery.body)),
        'user-agent': 'breakwater-webhook/1',
        'breakwater-event': delivery.event,
        'breakwater-delivery': delivery.id,
        [SIGNATURE_HEADER]: signBody(secret, delivery.body, clock.now()),
      },
      idleTimeoutMs: TIME_LIMIT_MS,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(TIME_LIMIT_MS)]),
      addresses: webhook.allowPrivateAddresses && options.allowPrivate ? 'any' : 'public-only',
    });
    const responseBody = await firstBytes(response);
    const accepted = response.status >= 200 && response.status < 300;
    const error = accepted
      ? null
      : serverErrors.create('SERVER_WEBHOOK_REJECTED', { status: response.status });
    return { accepted, responseStatus: response.status, responseBody, error };
  } catch (error) {
    return failed(error instanceof Error ? error : new Error('the request failed'));
  }
}

function failed(error: Error): DeliveryOutcome {
  return { accepted: false, responseStatus: null, responseBody: null, error };
}

/** Reads no more than is kept. PostgreSQL texts cannot hold NUL. */
async function firstBytes(response: HttpResponse): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= ANSWER_BYTES) break;
  }
  response.body.destroy();
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES).toString('utf8').replaceAll('\u0000', '\ufffd');
}
