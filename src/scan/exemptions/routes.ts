// REST API of exemptions, mounted at /api/v1: list, create, replace, delete; every change leaves an audit record.
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { exemptionSchema } from './exemption.ts';
import { type ExemptionAuthor, ExemptionService, type ExemptionServiceOptions } from './service.ts';
import { listExemptions } from './store.ts';

export interface ExemptionRoutesOptions extends ExemptionServiceOptions {
  /** Name of the subject that sent the request; it has been checked before the routes are reached. */
  readonly actorOf: (request: FastifyRequest) => string;
}

const stored = z.object({
  id: z.string(),
  ...exemptionSchema.shape,
  expired: z.boolean().describe('Expired exemptions are kept and cover nothing'),
  createdBy: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
});

const identifier = z.object({ id: z.uuid() });

/** Fastify plugin; authentication has happened before its routes are reached. */
export const exemptionRoutes: FastifyPluginAsync<ExemptionRoutesOptions> = async (instance, options) => {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const service = new ExemptionService(options);
  const authorOf = (request: FastifyRequest): ExemptionAuthor => ({
    actor: options.actorOf(request),
    address: request.ip,
  });

  app.get(
    '/exemptions',
    {
      schema: {
        operationId: 'listExemptions',
        summary: 'Exemptions, expired ones too',
        tags: ['exemptions'],
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(50),
          cursor: z.uuid().optional(),
        }),
        response: {
          200: z.object({ exemptions: z.array(stored).readonly(), nextCursor: z.string().nullable() }),
        },
      },
    },
    async ({ query: { limit, cursor } }) => {
      const page = { limit: limit + 1, ...(cursor === undefined ? {} : { after: cursor }) };
      const found = await listExemptions(options.db, page);
      const exemptions = found.slice(0, limit);
      return { exemptions, nextCursor: found.length > limit ? (exemptions.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    '/exemptions',
    {
      schema: {
        operationId: 'createExemption',
        summary: 'Take findings on, with reason, owner and last day',
        tags: ['exemptions'],
        body: exemptionSchema,
        response: { 201: stored },
      },
    },
    async (request, reply) => reply.status(201).send(await service.create(request.body, authorOf(request))),
  );

  app.get(
    '/exemptions/:id',
    {
      schema: {
        operationId: 'getExemption',
        summary: 'One exemption',
        tags: ['exemptions'],
        params: identifier,
        response: { 200: stored },
      },
    },
    ({ params }) => service.get(params.id),
  );

  app.put(
    '/exemptions/:id',
    {
      schema: {
        operationId: 'replaceExemption',
        summary: 'Replace an exemption',
        tags: ['exemptions'],
        params: identifier,
        body: exemptionSchema,
        response: { 200: stored },
      },
    },
    (request) => service.replace(request.params.id, request.body, authorOf(request)),
  );

  app.delete(
    '/exemptions/:id',
    {
      schema: {
        operationId: 'deleteExemption',
        summary: 'Delete an exemption: its findings count again',
        tags: ['exemptions'],
        params: identifier,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await service.delete(request.params.id, authorOf(request));
      return reply.status(204).send(null);
    },
  );
};
