// REST API of the registry, mounted at /api/v1: repositories, their tags, deletes, garbage collection on demand.
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RegistryAdministration } from './types.ts';

export interface RegistryRoutesOptions {
  readonly administration: RegistryAdministration;
  /** Name of the subject that sent the request; it has been checked before the routes are reached. */
  readonly actorOf: (request: FastifyRequest) => string;
}

const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(2_048).optional(),
});

const repositoryParameter = z
  .string()
  .min(1)
  .max(255)
  .describe('Repository name, its slashes written as %2F');

const repositorySummary = z.object({
  name: z.string(),
  tags: z.number(),
  manifests: z.number(),
  size: z.number().describe('Bytes of the distinct blobs the repository holds'),
  lastPushedAt: z.string().nullable(),
  lastPulledAt: z.string().nullable(),
});

const tagSummary = z.object({
  name: z.string(),
  digest: z.string(),
  mediaType: z.string(),
  size: z.number().describe('Bytes of the manifest and of what it refers to directly'),
  pushedAt: z.string(),
  pushedBy: z.string(),
  lastPulledAt: z.string().nullable(),
  pulls: z.number(),
});

const garbageReport = z.object({
  startedAt: z.string(),
  durationMs: z.number(),
  unlinked: z.number(),
  doomed: z.number(),
  deletedBlobs: z.number(),
  freedBytes: z.number(),
  expiredUploads: z.number(),
  orphanObjects: z.number(),
  held: z.boolean(),
});

/**
 * Fastify plugin. Repository names hold slashes, which clients write as %2F; the server must allow parameters of
 * 255 characters (`maxParamLength`).
 */
export const registryRoutes: FastifyPluginAsync<RegistryRoutesOptions> = async (instance, options) => {
  const { administration, actorOf } = options;
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/repositories',
    {
      schema: {
        operationId: 'listRepositories',
        summary: 'Repositories with their counts, by name',
        tags: ['registry'],
        querystring: pageQuery,
        response: {
          200: z.object({ repositories: z.array(repositorySummary), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { repositories, nextCursor } = await administration.listRepositories(page(request.query));
      return { repositories: [...repositories], nextCursor };
    },
  );

  app.get(
    '/repositories/:repository/tags',
    {
      schema: {
        operationId: 'listTags',
        summary: 'Tags of a repository with what they stand for, by name',
        tags: ['registry'],
        params: z.object({ repository: repositoryParameter }),
        querystring: pageQuery,
        response: { 200: z.object({ tags: z.array(tagSummary), nextCursor: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { repository } = request.params;
      const { tags, nextCursor } = await administration.listTags(repository, page(request.query));
      return { tags: [...tags], nextCursor };
    },
  );

  app.delete(
    '/repositories/:repository/tags/:tag',
    {
      schema: {
        operationId: 'deleteTag',
        summary: 'Delete a tag; its manifest stays',
        tags: ['registry'],
        params: z.object({ repository: repositoryParameter, tag: z.string().min(1).max(128) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { repository, tag } = request.params;
      await administration.remove(repository, tag, actorOf(request), request.socket.remoteAddress ?? null);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/repositories/:repository/manifests/:digest',
    {
      schema: {
        operationId: 'deleteManifest',
        summary: 'Delete a manifest with all its tags',
        tags: ['registry'],
        params: z.object({
          repository: repositoryParameter,
          digest: z.string().regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/),
        }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { repository, digest } = request.params;
      await administration.remove(repository, digest, actorOf(request), request.socket.remoteAddress ?? null);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/registry/gc',
    {
      schema: {
        operationId: 'collectGarbage',
        summary: 'Collect garbage now',
        description: 'Runs online: pushes and pulls go on. A call during a run waits for that run.',
        tags: ['registry'],
        response: { 200: garbageReport },
      },
    },
    async () => administration.collectGarbage(),
  );
};

function page(query: z.output<typeof pageQuery>): { readonly limit: number; readonly cursor?: string } {
  return { limit: query.limit, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) };
}
