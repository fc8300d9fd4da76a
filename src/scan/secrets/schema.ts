// The shapes of secrets as zod schemas: for cached layers, other processes and the REST API.
import { z } from 'zod';
import { SEVERITIES } from '../../core/index.ts';
import { SECRET_SOURCES } from './types.ts';

export const layerSecretSchema = z.strictObject({
  rule: z.string(),
  path: z.string(),
  line: z.int(),
  masked: z.string(),
  fingerprint: z.string(),
  validated: z.enum(['structure', 'pattern']),
});

export const secretFindingSchema = z.object({
  ...layerSecretSchema.shape,
  title: z.string(),
  severity: z.enum(SEVERITIES),
  source: z.enum(SECRET_SOURCES),
  layer: z.int().nullable().describe('Null for what stands in the image configuration'),
  layerDigest: z.string().nullable(),
  removedInLayer: z
    .int()
    .nullable()
    .describe('The layer that deletes or overwrites the file; the secret is still in the image'),
  remediation: z.string(),
});
