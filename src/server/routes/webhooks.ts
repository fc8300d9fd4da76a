// Outgoing webhooks: make, change, test, delete; delivery log and redelivery.
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServerContext } from '../context.ts';
import { WEBHOOK_EVENTS } from '../webhooks/cloud-event.ts';
import type { Actor } from '../webhooks/service.ts';
import type { Delivery, Webhook } from '../webhooks/store.ts';
import { failures, identifier, pageQuery } from './schemas.ts';

const webhook = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  allowPrivateAddresses: z.boolean(),
  createdBy: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
});

const delivery = z.object({
  id: z.string(),
  eventId: z.string(),
  event: z.string(),
  status: z.enum(['pending', 'retrying', 'delivered', 'failed']),
  attempts: z.number(),
  responseStatus: z.number().nullable(),
  responseBody: z.string().nullable().describe('The first 1,024 bytes of the answer'),
  error: z.string().nullable(),
  createdAt: z.string(),
  attemptedAt: z.string().nullable(),
  deliveredAt: z.string().nullable(),
});

const secret = z.string().describe('Shown this once. Receivers check Breakwater-Signature with it.');
const started = z.object({ delivery: z.uuid() });
const settings = {
  url: z.string().min(1).max(2000),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1),
  enabled: z.boolean().optional(),
  allowPrivateAddresses: z
    .boolean()
    .optional()
    .describe('Allow addresses inside your network; needs --webhook-allow-private'),
};

export function webhookRoutes({ webhooks }: Pick<ServerContext, 'webhooks'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/webhooks',
      {
        schema: {
          summary: 'Webhooks',
          tags: ['webhooks'],
          response: { 200: z.object({ webhooks: z.array(webhook) }), ...failures },
        },
      },
      async () => ({ webhooks: (await webhooks.list()).map(webhookBody) }),
    );
    app.post(
      '/webhooks',
      {
        schema: {
          summary: 'Make a webhook; the answer holds its secret',
          tags: ['webhooks'],
          body: z.strictObject({ name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/), ...settings }),
          response: { 201: webhook.extend({ secret }), ...failures },
        },
      },
      async (request, reply) => {
        const { name, ...rest } = request.body;
        const made = await webhooks.create(name, rest, actorOf(request));
        return reply.status(201).send({ ...webhookBody(made.webhook), secret: made.secret });
      },
    );
    app.get(
      '/webhooks/:id',
      {
        schema: {
          summary: 'One webhook',
          tags: ['webhooks'],
          params: identifier,
          response: { 200: webhook, ...failures },
        },
      },
      async ({ params }) => webhookBody(await webhooks.get(params.id)),
    );
    app.patch(
      '/webhooks/:id',
      {
        schema: {
          summary: 'Change a webhook',
          tags: ['webhooks'],
          params: identifier,
          body: z.strictObject(settings).partial(),
          response: { 200: webhook, ...failures },
        },
      },
      async (request) =>
        webhookBody(await webhooks.update(request.params.id, request.body, actorOf(request))),
    );
    app.delete(
      '/webhooks/:id',
      {
        schema: {
          summary: 'Delete a webhook and its log',
          tags: ['webhooks'],
          params: identifier,
          response: { 204: z.null(), ...failures },
        },
      },
      async (request, reply) => {
        await webhooks.delete(request.params.id, actorOf(request));
        return reply.status(204).send(null);
      },
    );
    app.post(
      '/webhooks/:id/secret',
      {
        schema: {
          summary: 'Replace the secret',
          tags: ['webhooks'],
          params: identifier,
          response: { 200: z.object({ secret }), ...failures },
        },
      },
      async (request) => ({ secret: await webhooks.renewSecret(request.params.id, actorOf(request)) }),
    );
    app.post(
      '/webhooks/:id/ping',
      {
        schema: {
          summary: 'Send a test event',
          tags: ['webhooks'],
          params: identifier,
          response: { 202: started, ...failures },
        },
      },
      async (request, reply) =>
        reply.status(202).send({ delivery: await webhooks.ping(request.params.id, actorOf(request)) }),
    );
    app.get(
      '/webhooks/:id/deliveries',
      {
        schema: {
          summary: 'Delivery log, newest first; kept for 30 days',
          tags: ['webhooks'],
          params: identifier,
          querystring: z.object({
            ...pageQuery,
            cursor: z
              .string()
              .regex(/^\d{1,18}$/)
              .optional(),
          }),
          response: {
            200: z.object({ deliveries: z.array(delivery), nextCursor: z.string().nullable() }),
            ...failures,
          },
        },
      },
      async ({ params, query }) => {
        const page = await webhooks.deliveries(params.id, query.limit, query.cursor);
        return { deliveries: page.deliveries.map(deliveryBody), nextCursor: page.nextCursor };
      },
    );
    app.post(
      '/webhooks/:id/deliveries/:delivery/redeliver',
      {
        schema: {
          summary: 'Send a delivery again',
          tags: ['webhooks'],
          params: z.object({ id: z.uuid(), delivery: z.uuid() }),
          response: { 202: started, ...failures },
        },
      },
      async (request, reply) => {
        const { id, delivery: again } = request.params;
        return reply.status(202).send({ delivery: await webhooks.redeliver(id, again, actorOf(request)) });
      },
    );
  };
}

function actorOf(request: Pick<FastifyRequest, 'access' | 'ip'>): Actor {
  return { name: request.access?.subject.name ?? 'anonymous', address: request.ip };
}

function webhookBody(item: Webhook): z.infer<typeof webhook> {
  return { ...item, events: [...item.events] };
}

function deliveryBody(item: Delivery): z.infer<typeof delivery> {
  const { id, eventId, event, status, attempts, responseStatus, responseBody, error } = item;
  const { createdAt, attemptedAt, deliveredAt } = item;
  return {
    id,
    eventId,
    event,
    status,
    attempts,
    responseStatus,
    responseBody,
    error,
    createdAt,
    attemptedAt,
    deliveredAt,
  };
}
