// Content for the checks: random blobs, manifests and indexes (OCI image-spec 1.1) with their digests.
import { createHash, randomBytes } from 'node:crypto';

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json';
export const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface Content {
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest extends Content {
  readonly mediaType: string;
  readonly descriptor: Descriptor;
}

export interface ManifestOptions {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
}

export function digestOf(bytes: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Random bytes, never the same twice. */
export function randomContent(size = 256): Content {
  const bytes = randomBytes(size);
  return { digest: digestOf(bytes), bytes };
}

/** The digest of nothing that is stored anywhere. */
export function unknownDigest(): string {
  return randomContent().digest;
}

export function describe(mediaType: string, content: Content): Descriptor {
  return { mediaType, digest: content.digest, size: content.bytes.length };
}

export function imageManifest(
  config: Descriptor,
  layers: readonly Descriptor[],
  options: ManifestOptions = {},
): Manifest {
  return manifest(IMAGE_MANIFEST, { config, layers }, options);
}

export function imageIndex(manifests: readonly Descriptor[], options: ManifestOptions = {}): Manifest {
  return manifest(IMAGE_INDEX, { manifests }, options);
}

function manifest(
  mediaType: string,
  content: Readonly<Record<string, unknown>>,
  options: ManifestOptions,
): Manifest {
  // Unusual spacing, and a field no program knows: only a registry that keeps the bytes gives them back.
  const text = ` ${JSON.stringify({ schemaVersion: 2, mediaType, ...options, ...content, 'x-kept': '\u00e9' }, null, 3)}\n`;
  const bytes = Buffer.from(text);
  const digest = digestOf(bytes);
  return { mediaType, bytes, digest, descriptor: { mediaType, digest, size: bytes.length } };
}
