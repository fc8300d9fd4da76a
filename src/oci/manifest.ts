// Manifests and indexes (OCI image-spec manifest.md, image-index.md; Docker schema 2 and manifest lists) from foreign bytes.
import { MAX_LAYERS, MAX_MANIFEST_BYTES } from '../core/index.ts';
import {
  InvalidDocument,
  isMediaType,
  readAnnotations,
  readArtifactType,
  readDescriptor,
  readDescriptors,
} from './descriptor.ts';
import { ociErrors } from './errors.ts';
import { ambiguousKey, type JsonObject, parseJsonObject, stringAt } from './json-document.ts';
import {
  bareMediaType,
  isImageConfigType,
  isImageManifestType,
  isIndexType,
  isSchema1Type,
  OCI_IMAGE_INDEX,
  OCI_IMAGE_MANIFEST,
} from './media-types.ts';
import type { Descriptor, ImageIndex, ImageManifest, Manifest } from './types.ts';

/** Most entries one index may have. */
export const MAX_INDEX_ENTRIES = 10_000;

const KEYS = [
  'schemaVersion',
  'mediaType',
  'config',
  'layers',
  'manifests',
  'subject',
  'artifactType',
  'annotations',
];

/**
 * Reads a manifest. `contentType` is what it was sent or stored with; without it the document's own `mediaType`
 * counts, and without that its shape. Config and layers of any media type are fine: artifacts are manifests too.
 * Throws `OCI_MANIFEST_TOO_LARGE`, `OCI_MANIFEST_SCHEMA1`, `OCI_MANIFEST_MEDIA_TYPE` or `OCI_MANIFEST_INVALID`.
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw ociErrors.create('OCI_MANIFEST_TOO_LARGE', { limit: MAX_MANIFEST_BYTES });
  }
  const document = parseJsonObject(bytes);
  if (typeof document === 'string') throw invalid(document);
  const mediaType = decideMediaType(document, contentType);
  refuseAmbiguity(document, mediaType);
  try {
    return isIndexType(mediaType) ? readIndex(document, mediaType) : readImage(document, mediaType);
  } catch (error) {
    if (error instanceof InvalidDocument) throw invalid(error.message);
    throw error;
  }
}

/** Does the manifest describe a container image, and not a signature, an SBOM, a chart or another artifact? */
export function isContainerImage(manifest: ImageManifest): boolean {
  return isImageConfigType(manifest.config.mediaType) && manifest.artifactType === undefined;
}

/** Everything a manifest refers to by digest, in order: config and layers, or the children; not the subject. */
export function referencedDescriptors(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'image' ? [manifest.config, ...manifest.layers] : manifest.manifests;
}

function decideMediaType(document: JsonObject, contentType: string | undefined): string {
  const own = stringAt(document, 'mediaType');
  const sent = contentType === undefined ? undefined : bareMediaType(contentType);
  if (
    document['schemaVersion'] === 1 ||
    [own, sent].some((type) => type !== undefined && isSchema1Type(type))
  ) {
    throw ociErrors.create('OCI_MANIFEST_SCHEMA1');
  }
  if (document['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2');
  if (document['mediaType'] !== undefined && own === undefined) throw invalid('mediaType is not a string');
  if (own && sent && own !== sent)
    throw invalid(`mediaType is ${own.slice(0, 255)} but it was sent as ${sent}`);
  const mediaType =
    sent || own || (document['manifests'] === undefined ? OCI_IMAGE_MANIFEST : OCI_IMAGE_INDEX);
  if (isIndexType(mediaType) || isImageManifestType(mediaType)) return mediaType;
  throw ociErrors.create('OCI_MANIFEST_MEDIA_TYPE', {
    mediaType: isMediaType(mediaType) ? mediaType : 'of this document',
  });
}

/** A document that reads as an image to one tool and as an index to another is refused (CVE-2021-41190). */
function refuseAmbiguity(document: JsonObject, mediaType: string): void {
  const twin = ambiguousKey(document, KEYS);
  if (twin !== undefined) throw invalid(`the key "${twin}" can be mistaken for another one`);
  const isIndex = isIndexType(mediaType);
  if (isIndex && (document['layers'] !== undefined || document['config'] !== undefined)) {
    throw invalid('an index must not have config or layers');
  }
  if (!isIndex && document['manifests'] !== undefined)
    throw invalid('an image manifest must not have manifests');
}

function readImage(document: JsonObject, mediaType: string): ImageManifest {
  const config = readDescriptor(document['config'], 'config');
  const layers = readDescriptors(document['layers'], 'layers', MAX_LAYERS);
  if (layers === undefined) throw new InvalidDocument('layers are missing');
  return { kind: 'image', mediaType, config, layers, ...readCommon(document) };
}

function readIndex(document: JsonObject, mediaType: string): ImageIndex {
  const manifests = readDescriptors(document['manifests'], 'manifests', MAX_INDEX_ENTRIES);
  if (manifests === undefined) throw new InvalidDocument('manifests are missing');
  return { kind: 'index', mediaType, manifests, ...readCommon(document) };
}

function readCommon(document: JsonObject): Pick<ImageManifest, 'artifactType' | 'subject' | 'annotations'> {
  const artifactType = readArtifactType(document, 'the manifest');
  const annotations = readAnnotations(document, 'the manifest');
  const subject = document['subject'];
  return {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined || subject === null ? {} : { subject: readDescriptor(subject, 'subject') }),
    ...(annotations ? { annotations } : {}),
  };
}

function invalid(reason: string): Error {
  return ociErrors.create('OCI_MANIFEST_INVALID', { reason });
}
