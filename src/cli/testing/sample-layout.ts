// Writes the sample image as an OCI image layout, for tests that scan it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSampleImage } from '../sample-image.ts';

/** Fills `directory` (OCI image-spec image-layout.md) and returns the manifest's digest. */
export function writeSampleLayout(directory: string, tag: string): string {
  const image = buildSampleImage();
  const blobs = join(directory, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const manifest = { digest: image.digest, bytes: image.manifest };
  for (const blob of [...image.layers, image.config, manifest]) {
    writeFileSync(join(blobs, blob.digest.slice('sha256:'.length)), blob.bytes);
  }
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const descriptor = {
    mediaType: image.mediaType,
    digest: image.digest,
    size: image.manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': tag },
  };
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  return image.digest;
}
