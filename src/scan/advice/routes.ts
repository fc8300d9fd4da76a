// REST API of explanations, mounted at /api/v1.
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { openAdvisoryFile, starterAdvisories } from '../../advisories/index.ts';
import type { Database } from '../../store/index.ts';
import { findingSchema, reportAdvisoriesSchema } from '../report-schema.ts';
import { digestParameters } from '../routes-schemas.ts';
import { explainStored } from './stored-explanation.ts';

export interface ExplanationRoutesOptions {
  readonly db: Database;
  /** Path of the advisory file; without it the starter advisories are used. */
  readonly advisoriesPath: string | undefined;
}

const nullableText = z.string().nullable();

const explanation = z.object({
  id: z.string(),
  target: z.string(),
  platform: nullableText,
  outcome: z.enum([
    'applies',
    'exempt',
    'not-affected',
    'undecided',
    'no-such-package',
    'no-such-advisory',
    'withdrawn',
    'not-scanned',
  ]),
  advisories: z
    .array(
      z.object({
        id: z.string(),
        aliases: z.array(z.string()).readonly(),
        summary: z.string(),
        source: z.string(),
        withdrawn: nullableText,
      }),
    )
    .readonly(),
  packages: z
    .array(
      z.object({
        verdict: z.enum(['affected', 'not-affected', 'undecided', 'owned', 'without-code']),
        package: z.string(),
        installed: z.string(),
        purl: z.string(),
        path: z.string(),
        layer: z.int(),
        layerDigest: nullableText,
        instruction: nullableText,
        ownedBy: nullableText,
        advisory: z.string(),
        advisorySource: z.string(),
        ecosystem: z.string(),
        comparedName: z.string(),
        comparedVersion: z.string(),
        scheme: nullableText,
        ranges: z.array(z.string()).readonly(),
        fixed: nullableText,
        urgency: nullableText,
        finding: findingSchema.nullable(),
      }),
    )
    .readonly(),
  data: reportAdvisoriesSchema,
});

/** Fastify plugin; authentication has happened before its routes are reached. */
export const explanationRoutes: FastifyPluginAsync<ExplanationRoutesOptions> = async (instance, options) => {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const { db, advisoriesPath } = options;
  app.get(
    '/images/:digest/findings/:id/explanation',
    {
      schema: {
        operationId: 'explainFinding',
        summary: 'Why a vulnerability is, or is not, a finding of an image',
        tags: ['findings'],
        params: digestParameters.extend({ id: z.string().min(1).max(200) }),
        response: { 200: explanation },
      },
    },
    async ({ params }) => {
      const file = advisoriesPath === undefined ? starterAdvisories() : openAdvisoryFile(advisoriesPath);
      try {
        return await explainStored(db, params.digest, params.id, file);
      } finally {
        file.close();
      }
    },
  );
};
