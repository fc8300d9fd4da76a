// The audit trail: who did what, and whether the trail is intact.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServerContext } from '../context.ts';
import { failures, pageQuery } from './schemas.ts';

const record = z.object({
  id: z.string(),
  at: z.string(),
  action: z.string(),
  actor: z.string(),
  target: z.string(),
  result: z.enum(['success', 'denied', 'failure']),
  address: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).optional(),
  seal: z.number().nullable(),
});

const verdict = z.discriminatedUnion('intact', [
  z.object({ intact: z.literal(true), seals: z.number(), records: z.number(), unsealed: z.number() }),
  z.object({ intact: z.literal(false), seal: z.number(), reason: z.string() }),
]);

export function auditRoutes({ store }: Pick<ServerContext, 'store'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/audit',
      {
        schema: {
          summary: 'Audit records, newest first',
          tags: ['audit'],
          querystring: z.object({
            ...pageQuery,
            action: z.string().max(100).optional(),
            actor: z.string().max(200).optional(),
            target: z.string().max(500).optional(),
          }),
          response: {
            200: z.object({ records: z.array(record), nextCursor: z.string().nullable() }),
            ...failures,
          },
        },
      },
      async ({ query }) => {
        const page = await store.audit.list({
          limit: query.limit,
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
          ...(query.action === undefined ? {} : { action: query.action }),
          ...(query.actor === undefined ? {} : { actor: query.actor }),
          ...(query.target === undefined ? {} : { target: query.target }),
        });
        return {
          records: page.records.map(({ detail, ...rest }) => ({
            ...rest,
            ...(detail ? { detail: { ...detail } } : {}),
          })),
          nextCursor: page.nextCursor,
        };
      },
    );
    app.get(
      '/audit/verification',
      {
        schema: {
          summary: 'Recompute every seal of the audit trail',
          tags: ['audit'],
          response: { 200: verdict, ...failures },
        },
      },
      () => store.audit.verify(),
    );
  };
}
