// Images: references, digests, manifests, layers, and where they can be read from.
export * from './digest.ts';
export * from './errors.ts';
export * from './image-config.ts';
export { readLayer, type ReadLayerOptions } from './layers/layer-reader.ts';
export { DEFAULT_LAYER_LIMITS, type LayerLimits } from './layers/limits.ts';
export * from './manifest.ts';
export * from './media-types.ts';
export * from './reference.ts';
export type { UploadedBlob } from './registry-client/blob-upload.ts';
export { RegistryClient } from './registry-client/client.ts';
export { findCredential, type RegistryCredential } from './registry-client/credentials.ts';
export type { TransportOptions } from './registry-client/transport.ts';
export { openDockerArchive, type ArchiveSelection } from './sources/docker-archive.ts';
export { openOciLayout, type LayoutSelection } from './sources/oci-layout.ts';
export { openRegistryImage } from './sources/registry-image.ts';
export { verifiedStream } from './sources/verified-stream.ts';
export * from './types.ts';
