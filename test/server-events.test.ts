// Events of a real server: live stream with resuming, and webhooks to a real receiver with signature, retry and log.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTestPlace, type TestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually, startTestServer, type TestServer } from './fixtures/server.ts';
import { pushSmallImage, smallImage } from './fixtures/small-image.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const webhookShape = z.object({ id: z.string(), secret: z.string() });
const deliveriesShape = z.object({
  deliveries: z.array(
    z.object({
      id: z.string(),
      event: z.string(),
      status: z.string(),
      attempts: z.number(),
      responseStatus: z.number().nullable(),
      responseBody: z.string().nullable(),
      error: z.string().nullable(),
    }),
  ),
});
const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  type: z.string(),
  id: z.string(),
  data: z.record(z.string(), z.unknown()),
});

describe('events', () => {
  let place: TestPlace;
  const received: Received[] = [];
  let failing = 0;
  let receiver: Server;
  let receiverUrl: string;
  let server: TestServer;

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (failing > 0) {
          failing--;
          response.writeHead(503).end('come back later');
          return;
        }
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(202).end('thanks');
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const address = receiver.address();
    receiverUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`;
    place = await openTestPlace();
    const args = ['--webhook-allow-private'];
    server = await startTestServer({ data: place.options.dataDirectory, env: databaseOf(place), args });
  });

  afterAll(async () => {
    await server?.stop();
    receiver?.close();
    await place?.remove();
  });

  const push = (name: string, tag: string): Promise<void> => {
    const { username, password } = server.credential;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    return pushSmallImage(smallImage(name), {
      registry: server.registry,
      authorization,
      repository: 'shop/cart',
      tag,
    });
  };
  const post = async (path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await server.request(path, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, body: await response.json() };
  };
  const makeWebhook = async (name: string, more: object): Promise<z.infer<typeof webhookShape>> => {
    const made = await post('/api/v1/webhooks', { name, events: ['image.pushed', 'scan.finished'], ...more });
    expect(made.status).toBe(201);
    return webhookShape.parse(made.body);
  };
  const deliveries = async (id: string) =>
    deliveriesShape.parse(await server.json(`/api/v1/webhooks/${id}/deliveries`)).deliveries;

  /** Reads the stream until `done`, as text. */
  async function readStream(
    headers: Record<string, string>,
    done: (text: string) => boolean,
    query = '',
  ): Promise<string> {
    const stop = new AbortController();
    const authorization = `Basic ${Buffer.from(`${server.credential.username}:${server.credential.password}`).toString('base64')}`;
    const response = await fetch(new URL(`/api/v1/events/stream${query}`, server.api), {
      headers: { authorization, ...headers },
      signal: stop.signal,
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    let text = '';
    const decoder = new TextDecoder();
    const timer = setTimeout(() => stop.abort(new Error(`the stream gave only: ${text}`)), 30_000);
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (done(text)) break;
    }
    clearTimeout(timer);
    stop.abort();
    return text;
  }

  it('streams pushes and scans live, and resumes after a break without a gap or a double', async () => {
    const live = readStream({}, (text) => text.includes('event: scan.finished'));
    await eventually(
      () => fetch(new URL('/metrics', server.api)).then((r) => r.text()),
      (text) => /breakwater_event_clients 1/.test(text),
      10_000,
      'a client',
    );
    await push('left-pad', '1.0');
    const text = await live;
    const ids = [...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] ?? '');
    const names = [...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
    expect(names).toEqual(['image.pushed', 'scan.finished']);
    const first = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '') as Record<string, unknown>;
    expect(first).toMatchObject({ repository: 'shop/cart', tag: '1.0', actor: 'admin' });

    const resumed = await readStream({ 'last-event-id': ids[0] ?? '' }, (more) =>
      more.includes('event: scan.finished'),
    );
    expect([...resumed.matchAll(/^id: (.*)$/gm)].map((match) => match[1])).toEqual(ids.slice(1));
    expect(
      await readStream({ 'last-event-id': 'long-gone' }, (more) => more.includes('event: reset')),
    ).toContain('event: reset');
  });

  it('refuses an unknown event name', async () => {
    expect((await server.request('/api/v1/events/stream?events=no.such')).status).toBe(400);
  });

  it('delivers signed CloudEvents and keeps a log', async () => {
    const { id, secret } = await makeWebhook('receiver', { url: receiverUrl, allowPrivateAddresses: true });
    expect(secret).toMatch(/^whsec_/);
    expect(JSON.stringify(await server.json('/api/v1/webhooks'))).not.toContain(secret);
    received.length = 0;
    await push('right-pad', '2.0');
    await eventually(
      async () => received.length,
      (count) => count >= 2,
      30_000,
      'two deliveries',
    );
    for (const { headers, body } of received) {
      const [, time = '', code = ''] =
        /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['breakwater-signature'])) ?? [];
      const expected = createHmac('sha256', secret).update(`${time}.${body}`).digest();
      expect(timingSafeEqual(expected, Buffer.from(code, 'hex'))).toBe(true);
      expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(120);
      expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    }
    const events = received.map(({ body }) => cloudEvent.parse(JSON.parse(body)));
    expect(events.map((event) => event.type).toSorted()).toEqual([
      'io.breakwater.image.pushed',
      'io.breakwater.scan.finished',
    ]);
    expect(events.find((event) => event.type.endsWith('scan.finished'))?.data).toMatchObject({
      status: 'finished',
    });
    const log = await eventually(
      () => deliveries(id),
      (rows) => rows.length === 2 && rows.every((row) => row.status === 'delivered'),
      10_000,
      'the log',
    );
    expect(log[0]).toMatchObject({ attempts: 1, responseStatus: 202, responseBody: 'thanks', error: null });

    const again = await post(`/api/v1/webhooks/${id}/deliveries/${log[0]?.id}/redeliver`);
    expect(again.status).toBe(202);
    await eventually(
      async () => received.length,
      (count) => count === 3,
      10_000,
      'the redelivery',
    );
    const resent = cloudEvent.parse(JSON.parse(received[2]?.body ?? ''));
    expect(events.map((event) => event.id)).toContain(resent.id);
  });

  it('tries again after a failure, with back-off, and says in the log what the receiver answered', async () => {
    const { id } = await makeWebhook('flaky', {
      url: receiverUrl,
      allowPrivateAddresses: true,
      events: ['image.deleted'],
    });
    failing = 1;
    received.length = 0;
    expect((await post(`/api/v1/webhooks/${id}/ping`)).status).toBe(202);
    const first = await eventually(
      () => deliveries(id),
      (rows) => rows[0]?.status === 'retrying',
      20_000,
      'the first attempt',
    );
    expect(first[0]).toMatchObject({
      event: 'webhook.ping',
      attempts: 1,
      responseStatus: 503,
      responseBody: 'come back later',
    });
    const last = await eventually(
      () => deliveries(id),
      (rows) => rows[0]?.status === 'delivered',
      60_000,
      'the second attempt',
    );
    expect(last[0]).toMatchObject({ attempts: 2, responseStatus: 202 });
    expect(cloudEvent.parse(JSON.parse(received[0]?.body ?? '')).type).toBe('io.breakwater.webhook.ping');
  });

  it('does not reach private addresses unless the webhook asks for it', async () => {
    const { id } = await makeWebhook('outside', { url: receiverUrl });
    received.length = 0;
    await post(`/api/v1/webhooks/${id}/ping`);
    const rows = await eventually(
      () => deliveries(id),
      (found) => (found[0]?.attempts ?? 0) > 0,
      20_000,
      'an attempt',
    );
    expect(rows[0]?.error).toContain('127.0.0.1 is not a public address');
    expect(received).toEqual([]);
    expect((await server.request(`/api/v1/webhooks/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await server.request(`/api/v1/webhooks/${id}`)).status).toBe(404);
  });

  it('refuses addresses that cannot be used, names that are taken, and unknown fields', async () => {
    const refused = async (body: object): Promise<unknown> =>
      (await post('/api/v1/webhooks', { events: ['image.pushed'], ...body })).body;
    expect(await refused({ name: 'a', url: 'ftp://x.example' })).toMatchObject({
      error: { code: 'SERVER_WEBHOOK_URL_INVALID' },
    });
    expect(await refused({ name: 'a', url: 'https://u:p@x.example' })).toMatchObject({
      error: { code: 'SERVER_WEBHOOK_URL_INVALID' },
    });
    expect(await refused({ name: 'receiver', url: 'https://x.example' })).toMatchObject({
      error: { code: 'SERVER_WEBHOOK_NAME_TAKEN' },
    });
    expect(await refused({ name: 'a', url: 'https://x.example', secret: 'mine' })).toMatchObject({
      error: { code: 'SERVER_REQUEST_INVALID' },
    });
  });

  it('changes, disables and re-keys a webhook', async () => {
    const { id, secret } = await makeWebhook('changing', { url: receiverUrl, allowPrivateAddresses: true });
    const response = await server.request(`/api/v1/webhooks/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ enabled: false, events: ['image.deleted'] }),
    });
    expect(await response.json()).toMatchObject({
      enabled: false,
      events: ['image.deleted'],
      url: receiverUrl,
    });
    const renewed = z
      .object({ secret: z.string() })
      .parse((await post(`/api/v1/webhooks/${id}/secret`)).body);
    expect(renewed.secret).not.toBe(secret);
    await post(`/api/v1/webhooks/${id}/ping`);
    const rows = await eventually(
      () => deliveries(id),
      (found) => found[0]?.status === 'failed',
      20_000,
      'the end',
    );
    expect(rows[0]?.error).toBe('the webhook is disabled');
  });
});
