// The OpenAPI 3.1 document at `/api/v1/openapi.json`, made from the routes' own zod schemas.
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Call before any route is added. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Breakwater',
        version,
        description:
          'Images, findings, scans, jobs, audit trail, webhooks and events of a Breakwater server. Errors are {"error":{"code","message","hint"}}; lists take limit and cursor.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          administrator: { type: 'http', scheme: 'basic' },
          token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        },
      },
      security: [{ administrator: [] }, { token: [] }],
    },
    transform: jsonSchemaTransform,
  });
}

export function serveDescription(app: FastifyInstance): void {
  app.get(
    '/api/v1/openapi.json',
    {
      schema: {
        summary: 'This description',
        tags: ['server'],
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async () => ({ ...app.swagger() }),
  );
}
