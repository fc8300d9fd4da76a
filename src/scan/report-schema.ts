// The shape of reports and of their parts as zod schemas: for what other processes send, and for the REST API.
import { z } from 'zod';
import { SEVERITIES } from '../core/index.ts';
import { secretFindingSchema } from './secrets/schema.ts';
import { PACKAGE_KINDS } from './types.ts';

export const packageSchema = z.object({
  kind: z.enum(PACKAGE_KINDS),
  name: z.string(),
  version: z.string(),
  source: z.object({ name: z.string(), version: z.string() }).exactOptional(),
  architecture: z.string().exactOptional(),
  path: z.string(),
  licenses: z.array(z.string()).readonly().exactOptional(),
  detail: z.record(z.string(), z.string()).readonly().exactOptional(),
  purl: z.string(),
  layer: z.int(),
  ownedBy: z.string().exactOptional(),
});

export const findingSchema = z.object({
  id: z.string(),
  advisory: z.string(),
  aliases: z.array(z.string()).readonly(),
  purl: z.string(),
  kind: z.enum(PACKAGE_KINDS),
  package: z.string(),
  installed: z.string(),
  fixed: z.string().nullable(),
  fixState: z.enum(['fixed', 'not-fixed', 'will-not-fix', 'unknown']),
  severity: z.enum(SEVERITIES),
  severitySource: z.string(),
  cvssScore: z.number().nullable(),
  cvssVector: z.string().nullable(),
  epss: z.number().nullable(),
  epssPercentile: z.number().exactOptional(),
  exploited: z.boolean(),
  kev: z.object({ added: z.string().nullable(), ransomware: z.boolean() }).exactOptional(),
  exploitMaturity: z.enum(['attacked', 'functional', 'proof-of-concept', 'unreported']).exactOptional(),
  title: z.string(),
  range: z.string(),
  layer: z.int(),
  layerDigest: z.string().nullable(),
  path: z.string(),
  state: z.enum(['open', 'fixed', 'exempt']),
  suppression: z
    .object({
      by: z.enum(['exemption', 'vex']),
      source: z.string(),
      reason: z.string(),
      owner: z.string().nullable(),
      until: z.string().nullable(),
    })
    .exactOptional(),
  vex: z
    .object({ status: z.enum(['affected', 'under_investigation']), source: z.string(), text: z.string() })
    .exactOptional(),
});

export const problemSchema = z.object({
  code: z.string(),
  message: z.string(),
  layer: z.int().nullable(),
  path: z.string().nullable(),
});

export const layerSchema = z.object({
  index: z.int(),
  digest: z.string(),
  diffId: z.string().nullable(),
  mediaType: z.string(),
  size: z.number(),
  instruction: z.string().nullable(),
  cached: z.boolean(),
});

export const distributionSchema = z.object({
  id: z.string(),
  versionId: z.string().nullable(),
  prettyName: z.string(),
});

export const reportAdvisoriesSchema = z.object({
  kind: z.enum(['file', 'starter']),
  digest: z.string(),
  builtAt: z.string(),
  ageHours: z.number(),
  advisories: z.number(),
  notices: z.array(z.string()).readonly(),
});

export const reportSchema = z.object({
  schemaVersion: z.literal(1),
  target: z.string(),
  status: z.enum(['finished', 'unscannable']),
  reason: z.string().nullable(),
  image: z
    .object({
      digest: z.string(),
      mediaType: z.string(),
      platform: z.string().nullable(),
      created: z.string().nullable(),
      layers: z.array(layerSchema).readonly(),
    })
    .nullable(),
  distribution: distributionSchema.nullable(),
  distributionSupport: z
    .object({
      status: z.enum(['supported', 'endOfLife', 'unknown']),
      supportedUntil: z.string().nullable(),
      paidSupport: z.object({ name: z.string(), until: z.string() }).nullable(),
    })
    .exactOptional(),
  packages: z.array(packageSchema).readonly(),
  findings: z.array(findingSchema).readonly(),
  problems: z.array(problemSchema).readonly(),
  advisories: reportAdvisoriesSchema,
  scannedAt: z.string(),
  secrets: z.array(secretFindingSchema).readonly().exactOptional(),
  upgrades: z
    .array(
      z.object({
        kind: z.enum(PACKAGE_KINDS),
        name: z.string(),
        installed: z.string(),
        upgradeTo: z.string(),
        ends: z.array(z.string()).readonly(),
        remain: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .exactOptional(),
});
