// What advisories the server matches with, and how old they are.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { advisoryStatus, openAdvisories } from '../../advisories/index.ts';
import type { ServerContext } from '../context.ts';
import { failures } from './schemas.ts';

const status = z.object({
  kind: z.enum(['file', 'starter']),
  digest: z.string(),
  builtAt: z.string(),
  ageHours: z.number(),
  advisories: z.number(),
  packages: z.number(),
  sources: z.array(
    z.object({ name: z.string(), records: z.number(), rejected: z.number(), newest: z.string().nullable() }),
  ),
  ecosystems: z.array(z.string()),
});

export function advisoryRoutes({
  clock,
  advisoriesPath,
}: Pick<ServerContext, 'clock' | 'advisoriesPath'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/advisories/status',
      {
        schema: {
          summary: 'The advisories in use: source, age, size',
          description: 'kind starter means a small built-in set: a clean result then means little.',
          tags: ['advisories'],
          response: { 200: status, ...failures },
        },
      },
      async () => {
        // Opened for each answer, because the file may be replaced while the server runs; that takes about 2 ms.
        const file = openAdvisories(advisoriesPath);
        try {
          const { sources, ecosystems, tooOld: _, ...rest } = advisoryStatus(file, clock);
          return { ...rest, sources: [...sources], ecosystems: [...ecosystems] };
        } finally {
          file.close();
        }
      },
    );
  };
}
