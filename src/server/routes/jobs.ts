// Jobs of the queues: list, one, and putting a failed one back.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServerContext } from '../context.ts';
import { serverErrors } from '../errors.ts';
import { failures, identifier, pageQuery } from './schemas.ts';

const state = z.enum(['created', 'retry', 'active', 'completed', 'cancelled', 'failed']);

const job = z.object({
  id: z.string(),
  queue: z.string(),
  state,
  payload: z.record(z.string(), z.unknown()),
  retries: z.number(),
  retryLimit: z.number(),
  error: z.string().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  completedAt: z.string().nullable(),
  deadLetter: z.boolean(),
});

export function jobRoutes({ store }: Pick<ServerContext, 'store'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/jobs',
      {
        schema: {
          summary: 'Jobs, newest first',
          tags: ['jobs'],
          querystring: z.object({
            ...pageQuery,
            queue: z.string().max(100).optional(),
            state: state.optional(),
          }),
          response: { 200: z.object({ jobs: z.array(job), nextCursor: z.string().nullable() }), ...failures },
        },
      },
      async ({ query }) => {
        const page = await store.jobs.list({
          limit: query.limit,
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
          ...(query.queue === undefined ? {} : { queue: query.queue }),
          ...(query.state === undefined ? {} : { state: query.state }),
        });
        return {
          jobs: page.jobs.map((item) => ({ ...item, payload: { ...item.payload } })),
          nextCursor: page.nextCursor,
        };
      },
    );
    app.get(
      '/jobs/:id',
      {
        schema: {
          summary: 'One job',
          tags: ['jobs'],
          params: identifier,
          response: { 200: job, ...failures },
        },
      },
      async ({ params }) => {
        const found = await store.jobs.get(params.id);
        if (found === undefined) throw serverErrors.create('SERVER_NOT_FOUND', { what: `job ${params.id}` });
        return { ...found, payload: { ...found.payload } };
      },
    );
    app.post(
      '/jobs/:id/retry',
      {
        schema: {
          summary: 'Put a failed job back in its queue',
          tags: ['jobs'],
          params: identifier,
          response: { 200: job, ...failures },
        },
      },
      async ({ params, access, ip }) => {
        const retried = await store.jobs.retry(params.id);
        const found = await store.jobs.get(params.id);
        if (found === undefined) throw serverErrors.create('SERVER_NOT_FOUND', { what: `job ${params.id}` });
        if (!retried) throw serverErrors.create('SERVER_JOB_NOT_FAILED', { id: params.id });
        store.audit.append({
          action: 'job.retry',
          actor: access?.subject.name ?? 'anonymous',
          target: params.id,
          result: 'success',
          address: ip,
        });
        store.jobs.wake(found.queue);
        return { ...found, payload: { ...found.payload } };
      },
    );
  };
}
