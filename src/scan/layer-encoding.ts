// Layer results as bytes: JSON under Zstandard (RFC 8878), checked when read back.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { MiB } from '../core/index.ts';
import { catalogerVersions } from './catalogers.ts';
import { layerSecretSchema } from './secrets/schema.ts';
import { PACKAGE_KINDS, type LayerResult } from './types.ts';

const MAX_DECODED_BYTES = 256 * MiB;

const problem = z.strictObject({
  code: z.string(),
  message: z.string(),
  layer: z.null(),
  path: z.string().nullable(),
});

const release = z.strictObject({ id: z.string(), versionId: z.string().nullable(), prettyName: z.string() });

const item = z.strictObject({
  kind: z.enum(PACKAGE_KINDS),
  name: z.string(),
  version: z.string(),
  source: z.strictObject({ name: z.string(), version: z.string() }).exactOptional(),
  architecture: z.string().exactOptional(),
  path: z.string(),
  licenses: z.array(z.string()).exactOptional(),
  detail: z.record(z.string(), z.string()).exactOptional(),
});

const secrets = z.strictObject({
  version: z.string(),
  found: z.array(layerSecretSchema),
  files: z.string(),
});

const layerResult = z.strictObject({
  catalogers: z.literal(catalogerVersions),
  diffId: z.string(),
  complete: z.literal(true),
  size: z.number(),
  uncompressedSize: z.number(),
  packages: z.array(item),
  distributions: z.array(z.strictObject({ path: z.string(), release })),
  whiteouts: z.array(z.string()),
  opaque: z.array(z.string()),
  evidence: z.array(z.string()),
  owned: z.array(z.tuple([z.string(), z.string()])),
  secrets: secrets.exactOptional(),
  problems: z.array(problem),
});

/** The bytes to keep of a layer result. */
export function encodeLayerResult(result: LayerResult): Buffer {
  return zstdCompressSync(JSON.stringify({ ...result, owned: Object.entries(result.owned) }));
}

/** The result that the bytes hold; undefined when they are damaged or were made by other cataloger versions. */
export function decodeLayerResult(bytes: Uint8Array): LayerResult | undefined {
  try {
    const text = zstdDecompressSync(bytes, { maxOutputLength: MAX_DECODED_BYTES }).toString('utf8');
    const parsed = layerResult.safeParse(JSON.parse(text));
    return parsed.success ? { ...parsed.data, owned: Object.fromEntries(parsed.data.owned) } : undefined;
  } catch {
    return undefined;
  }
}
