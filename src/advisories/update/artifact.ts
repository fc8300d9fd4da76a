// The advisory file as an OCI artifact (OCI image-spec 1.1 "Guidelines for artifact usage"), for sites without a network.
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { GiB } from '../../core/index.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  OCI_EMPTY,
  OCI_IMAGE_MANIFEST,
  parseManifest,
  type RegistryClient,
} from '../../oci/index.ts';
import { advisoryErrors } from '../errors.ts';
import { verifyAdvisoryFile } from '../file/read.ts';
import type { AdvisoryFileInfo } from '../types.ts';

/** `artifactType` of the manifest and media type of its only layer. */
export const ADVISORY_ARTIFACT = 'application/vnd.breakwater.advisories.v1';
/** Annotation of the manifest with the identity of the file (`AdvisoryFileInfo.digest`). */
const DIGEST_ANNOTATION = 'dev.breakwater.advisories.digest';
const MAX_FILE_BYTES = 4 * GiB;

export interface PublishedAdvisories {
  readonly digest: Digest;
  readonly bytes: number;
  readonly info: AdvisoryFileInfo;
}

/**
 * Pushes an advisory file; it is checked first. The same file gives the same manifest. Throws what
 * `verifyAdvisoryFile` throws, and OCI_… errors of the registry.
 */
export async function publishAdvisories(
  path: string,
  client: RegistryClient,
  repository: string,
  tag: string,
): Promise<PublishedAdvisories> {
  const info = verifyAdvisoryFile(path);
  const empty = Buffer.from('{}');
  const config = { mediaType: OCI_EMPTY, digest: digestOf(empty), size: empty.length };
  if (!(await client.blobExists(repository, config.digest))) await client.pushBlob(repository, empty);
  const layer = await client.pushBlob(repository, createReadStream(path));
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE_MANIFEST,
    artifactType: ADVISORY_ARTIFACT,
    config,
    layers: [
      {
        mediaType: ADVISORY_ARTIFACT,
        ...layer,
        annotations: { 'org.opencontainers.image.title': 'advisories.bwadv' },
      },
    ],
    annotations: { 'org.opencontainers.image.created': info.builtAt, [DIGEST_ANNOTATION]: info.digest },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = await client.pushManifest(repository, tag, { bytes, mediaType: OCI_IMAGE_MANIFEST });
  return { digest, bytes: layer.size, info };
}

/**
 * Pulls an advisory artifact to `out`, bytes verified against their digest, then the file against its own hashes.
 * Returns `unchanged`, with nothing pulled, when the artifact holds the file of this identity. Throws
 * ADVISORIES_ARTIFACT_INVALID, ADVISORIES_FILE_…, and OCI_… errors of the registry.
 */
export async function pullAdvisories(
  source: { readonly client: RegistryClient; readonly repository: string; readonly reference: string },
  out: string,
  known: string | undefined,
  signal?: AbortSignal,
): Promise<AdvisoryFileInfo | 'unchanged'> {
  const { client, repository, reference } = source;
  const { bytes, mediaType } = await client.manifest(repository, reference, signal);
  const manifest = parseManifest(bytes, mediaType);
  const invalid = (reason: string): Error =>
    advisoryErrors.create('ADVISORIES_ARTIFACT_INVALID', { reference: `${repository}:${reference}`, reason });
  if (manifest.kind !== 'image') throw invalid('it is an index of several manifests');
  const layer = advisoryLayer(manifest.artifactType, manifest.layers);
  if (typeof layer === 'string') throw invalid(layer);
  if (known !== undefined && manifest.annotations?.[DIGEST_ANNOTATION] === known) return 'unchanged';
  await pipeline(client.blob(repository, layer, signal), createWriteStream(out));
  if ((await stat(out)).size !== layer.size) throw invalid('it is cut short');
  return verifyAdvisoryFile(out);
}

function advisoryLayer(artifactType: string | undefined, layers: readonly Descriptor[]): Descriptor | string {
  if (artifactType !== ADVISORY_ARTIFACT) return `its type is ${artifactType ?? 'not given'}`;
  const [layer] = layers;
  if (layer === undefined || layers.length > 1 || layer.mediaType !== ADVISORY_ARTIFACT)
    return 'it does not have one layer of advisories';
  return layer.size > MAX_FILE_BYTES ? `it is larger than ${MAX_FILE_BYTES} bytes` : layer;
}
