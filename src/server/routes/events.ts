// The live stream of events (server-sent events), resumable with `Last-Event-ID`.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServerContext } from '../context.ts';
import { serverErrors } from '../errors.ts';
import { WEBHOOK_EVENTS } from '../webhooks/cloud-event.ts';
import { failures } from './schemas.ts';

const names = z
  .string()
  .max(200)
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(WEBHOOK_EVENTS)))
  .optional();

export function eventRoutes({
  stream,
  readiness,
}: Pick<ServerContext, 'stream' | 'readiness'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/events/stream',
      {
        schema: {
          summary: 'Follow events as they happen (text/event-stream)',
          description: `Events: ${WEBHOOK_EVENTS.join(', ')}. After a break, send Last-Event-ID to get what was missed; an event named reset says that the memory does not reach back that far and the lists must be read again.`,
          tags: ['events'],
          querystring: z.object({
            events: names.describe('Wanted names, comma-separated; all when left out'),
          }),
          response: failures,
        },
      },
      async (request, reply) => {
        if (readiness.stopping) throw serverErrors.create('SERVER_STOPPING');
        if (stream.full) throw serverErrors.create('SERVER_STREAM_FULL', { count: stream.maxClients });
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) reply.raw.setHeader(name, value);
        }
        reply.hijack();
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'x-accel-buffering': 'no',
        });
        stream.attach(reply.raw, {
          lastEventId: lastEventId(request.headers['last-event-id']),
          names: new Set(request.query.events ?? []),
          expiresAt: request.access?.expiresAt ?? 0,
        });
      },
    );
  };
}

/** Anything that cannot be one of our ids stands for "unknown", which leads to a reset. */
export function lastEventId(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text === undefined || text === '' ? undefined : text.slice(0, 100);
}
