// What the scan routes take and answer, as zod schemas; OpenAPI is made from them.
import { z } from 'zod';
import { SEVERITIES } from '../core/index.ts';
import {
  distributionSchema,
  findingSchema,
  layerSchema,
  packageSchema,
  problemSchema,
  reportAdvisoriesSchema,
} from './report-schema.ts';
import { FRESHNESS_REASONS } from './freshness.ts';
import { secretFindingSchema } from './secrets/schema.ts';
import { SCAN_STATUSES } from './store.ts';

export const digestParameters = z.object({
  digest: z
    .string()
    .regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/)
    .describe('Digest of a stored manifest'),
});

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('Most entries in one page'),
  cursor: z.string().max(500).optional().describe('nextCursor of the page before'),
});

export const imagesQuery = pageQuery.extend({
  repository: z.string().max(255).optional(),
  reference: z
    .string()
    .max(600)
    .optional()
    .describe('repository:tag or repository@digest; gives the one image it stands for'),
});

const severityList = z
  .string()
  .max(100)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(SEVERITIES)))
  .describe('Severities, separated by commas');

export const findingsQuery = pageQuery.extend({
  image: digestParameters.shape.digest.optional(),
  severity: severityList.optional(),
  id: z.string().max(200).optional().describe('Id or alias, e.g. CVE-2024-1234'),
  package: z.string().max(512).optional(),
  fixable: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  state: z.enum(['open', 'fixed', 'exempt', 'all']).default('open'),
});

const counts = z.record(z.enum(SEVERITIES), z.int()).describe('Open findings by severity');

export const scanStatusSchema = z.object({
  status: z.enum(SCAN_STATUSES),
  trigger: z.string().nullable(),
  requestedAt: z.string().nullable(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  reason: z.string().nullable().describe('Why it is unscannable'),
  advisories: reportAdvisoriesSchema.nullable(),
  packageCount: z.int().nullable().describe('Null while there is no result'),
  counts: counts.nullable().describe('Null while there is no result: not scanned is never zero'),
  secretCount: z
    .int()
    .nullable()
    .describe('Null while there is no result, or where secrets were not looked for'),
});

const location = z.object({
  repository: z.string(),
  tags: z.array(z.string()).readonly(),
  pushedAt: z.string(),
  pushedBy: z.string(),
  lastPulledAt: z.string().nullable(),
  pulls: z.number(),
});

export const imageSummarySchema = z.object({
  digest: z.string(),
  mediaType: z.string(),
  kind: z.enum(['image', 'index', 'artifact']),
  artifactType: z.string().nullable(),
  size: z.number(),
  platform: z.string().nullable(),
  locations: z.array(location).readonly(),
  scan: scanStatusSchema,
  freshness: z.object({
    reasons: z.array(z.enum(FRESHNESS_REASONS)).readonly().describe('Why the image is kept fresh'),
    matchedAt: z.string().nullable().describe('When its packages were last matched with advisories'),
    advisories: z.string().nullable().describe('Identity of the advisory data it was matched with'),
    current: z.boolean().describe('Would a scan with the data and catalogers of now find the same?'),
    statement: z.string().nullable().describe('In words what is not current'),
  }),
});

export const storedFindingSchema = findingSchema.extend({
  image: z.string(),
  firstSeen: z.string(),
  lastSeen: z.string(),
});

export const imageSchema = imageSummarySchema.extend({
  created: z.string().nullable(),
  distribution: distributionSchema.nullable(),
  layers: z.array(layerSchema).readonly(),
  problems: z.array(problemSchema).readonly().describe('What could not be read or decided'),
  packages: z.array(packageSchema).readonly(),
  findings: z.array(storedFindingSchema).readonly(),
  children: z
    .array(
      z.object({
        digest: z.string(),
        platform: z.string().nullable(),
        present: z.boolean(),
        scan: scanStatusSchema.nullable(),
      }),
    )
    .readonly(),
  truncated: z.boolean().describe('There are more packages or findings: use the lists of their own'),
});

export const imagePageSchema = z.object({
  images: z.array(imageSummarySchema).readonly(),
  nextCursor: z.string().nullable(),
});
export const packagePageSchema = z.object({
  packages: z.array(packageSchema).readonly(),
  nextCursor: z.string().nullable(),
});
export const secretPageSchema = z.object({
  searched: z.boolean().describe('False when secrets were not looked for: an empty list says nothing then'),
  secrets: z.array(secretFindingSchema).readonly(),
  nextCursor: z.string().nullable(),
});
export const findingPageSchema = z.object({
  findings: z.array(storedFindingSchema).readonly(),
  nextCursor: z.string().nullable(),
});
export const requestedSchema = z.object({
  jobId: z.string().nullable().describe('Null when a scan was waiting already'),
});

export const reloadedSchema = z.object({
  digest: z.string().describe('Identity of the advisory data in use now'),
  changed: z
    .boolean()
    .describe('Is it other data than images were matched with? They are matched again then'),
});
