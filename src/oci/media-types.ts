// Media types of OCI image-spec 1.1 (media-types.md) and of Docker's image format, and what they tell.

export const OCI_IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = `${OCI_LAYER}+gzip`;
export const OCI_LAYER_ZSTD = `${OCI_LAYER}+zstd`;

export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
export const DOCKER_LAYER_GZIP = `${DOCKER_LAYER}.gzip`;

/** What a client accepts when it asks for a manifest, most wanted first. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  OCI_IMAGE_INDEX,
  OCI_IMAGE_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_MANIFEST,
];

const LAYER_PREFIXES = [
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
];

/** The media type without parameters, in lower case: `Application/JSON; charset=utf-8` is `application/json`. */
export function bareMediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** Is it a manifest of one image or artifact? */
export function isImageManifestType(mediaType: string): boolean {
  return mediaType === OCI_IMAGE_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** Is it a list of manifests? */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_IMAGE_INDEX || mediaType === DOCKER_MANIFEST_LIST;
}

/** Is it Docker's manifest schema 1, plain or signed? */
export function isSchema1Type(mediaType: string): boolean {
  return (
    mediaType === 'application/vnd.docker.distribution.manifest.v1+json' ||
    mediaType === 'application/vnd.docker.distribution.manifest.v1+prettyjws'
  );
}

/** Is it the configuration of a container image, and not of some other artifact? */
export function isImageConfigType(mediaType: string): boolean {
  return mediaType === OCI_IMAGE_CONFIG || mediaType === DOCKER_CONFIG;
}

/** What a layer's media type promises. The content decides: `readLayer` looks at its first bytes. */
export interface LayerType {
  readonly compression: 'none' | 'gzip' | 'zstd' | 'unknown';
  /** The content is not to be pushed to other registries, and is often not in this one (foreign layers). */
  readonly nondistributable: boolean;
  /** The content is encrypted (`+encrypted`) and cannot be read without a key. */
  readonly encrypted: boolean;
}

/** Classifies a layer media type; undefined when the blob is no file system layer (a chart, a signature, …). */
export function classifyLayerType(mediaType: string): LayerType | undefined {
  const bare = bareMediaType(mediaType);
  const prefix = LAYER_PREFIXES.find((candidate) => bare.startsWith(candidate));
  if (prefix === undefined) return undefined;
  const suffixes = bare.slice(prefix.length);
  if (suffixes !== '' && !/^([+.-][a-z0-9]+)+$/.test(suffixes)) return undefined;
  const words = suffixes.split(/[+.-]/).filter((word) => word !== '');
  return {
    compression: words.includes('gzip')
      ? 'gzip'
      : words.includes('zstd')
        ? 'zstd'
        : words.every((word) => word === 'encrypted')
          ? 'none'
          : 'unknown',
    nondistributable: prefix.includes('nondistributable') || prefix.includes('foreign'),
    encrypted: words.includes('encrypted'),
  };
}
