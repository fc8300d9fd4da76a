// What the registry keeps about a manifest beside its bytes: kind, references, size, and its line in a referrers list.
import { classifyLayerType, digestOf, isContainerImage, referencedDescriptors } from '../oci/index.ts';
import type { DigestAlgorithm, Manifest, Platform } from '../oci/index.ts';
import type { ManifestEdge, NewManifest } from './store-manifests.ts';

/** Describes a parsed manifest for the store. */
export function describeManifest(manifest: Manifest, body: Buffer, algorithm: DigestAlgorithm): NewManifest {
  const digest = digestOf(body, algorithm);
  const artifactType = artifactTypeOf(manifest);
  const subject = manifest.subject?.digest ?? null;
  const references = referencedDescriptors(manifest);
  return {
    digest,
    mediaType: manifest.mediaType,
    kind: manifest.kind === 'index' ? 'index' : isContainerImage(manifest) ? 'image' : 'artifact',
    artifactType,
    subject,
    referrer:
      subject === null
        ? null
        : JSON.stringify({
            mediaType: manifest.mediaType,
            digest,
            size: body.length,
            ...(artifactType === null ? {} : { artifactType }),
            ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
          }),
    body,
    totalSize: references.reduce((sum, descriptor) => sum + descriptor.size, body.length),
    edges: edgesOf(manifest),
  };
}

/** The blobs a repository must hold to take the manifest. Layers not meant to be pushed may be absent. */
export function requiredBlobs(manifest: Manifest): string[] {
  if (manifest.kind === 'index') return [];
  const digests = new Set<string>([manifest.config.digest]);
  for (const layer of manifest.layers) {
    if (classifyLayerType(layer.mediaType)?.nondistributable !== true) digests.add(layer.digest);
  }
  return [...digests];
}

/** The manifest's own `artifactType`; for an image manifest without one its config's media type; null for an index without one. */
function artifactTypeOf(manifest: Manifest): string | null {
  if (manifest.artifactType !== undefined) return manifest.artifactType;
  return manifest.kind === 'image' ? manifest.config.mediaType : null;
}

function edgesOf(manifest: Manifest): ManifestEdge[] {
  if (manifest.kind === 'index') {
    return manifest.manifests.map((child) => ({
      child: child.digest,
      kind: 'manifest',
      platform: child.platform === undefined ? null : platformName(child.platform),
    }));
  }
  return [
    { child: manifest.config.digest, kind: 'config', platform: null },
    ...manifest.layers.map((layer) => ({ child: layer.digest, kind: 'layer' as const, platform: null })),
  ];
}

/** `linux/arm64/v8`, as the tools write it. */
function platformName(platform: Platform): string {
  const parts = [
    platform.os,
    platform.architecture,
    ...(platform.variant === undefined ? [] : [platform.variant]),
  ];
  return parts.join('/').slice(0, 255);
}
