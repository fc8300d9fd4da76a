// What the server and a scan process say to each other over their IPC channel.
import { z } from 'zod';
import { reportSchema } from './report-schema.ts';

/** What to scan: one stored manifest, pulled from a registry. The token never appears in arguments or environment. */
export interface ScanProcessRequest {
  /** `host:port`. */
  readonly registry: string;
  readonly plainHttp: boolean;
  readonly repository: string;
  readonly digest: string;
  /** Bearer token that may pull the repository; undefined where none is needed. */
  readonly token?: string;
  /** Path of the advisory file; undefined means the starter advisories. */
  readonly advisoriesPath?: string;
  readonly platform?: string;
  /** Look for secrets too. */
  readonly secrets?: boolean;
  /** The child ends itself above this where the parent cannot look (no /proc). */
  readonly memoryLimitBytes: number;
}

export const requestMessage = z.object({
  type: z.literal('scan'),
  request: z.object({
    registry: z.string(),
    plainHttp: z.boolean(),
    repository: z.string(),
    digest: z.string(),
    token: z.string().exactOptional(),
    advisoriesPath: z.string().exactOptional(),
    platform: z.string().exactOptional(),
    secrets: z.boolean().exactOptional(),
    memoryLimitBytes: z.number(),
  }),
});

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** From the server to the scan process. */
export const serverMessage = z.discriminatedUnion('type', [
  requestMessage,
  z.object({ type: z.literal('layer'), call: z.int(), bytes: bytes.nullable() }),
]);

/** From the scan process to the server. */
export const processMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('get-layer'), call: z.int(), digest: z.string() }),
  z.object({ type: z.literal('put-layer'), call: z.int(), digest: z.string(), bytes }),
  z.object({
    type: z.literal('progress'),
    digest: z.string(),
    layersDone: z.int(),
    layersTotal: z.int(),
  }),
  z.object({ type: z.literal('reports'), reports: z.array(reportSchema).readonly() }),
  z.object({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    status: z.int(),
    exit: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(70)]),
  }),
]);

export type ServerMessage = z.infer<typeof serverMessage>;
export type ProcessMessage = z.infer<typeof processMessage>;
