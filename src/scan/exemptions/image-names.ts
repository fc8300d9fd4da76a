// The names that exemptions and VEX documents may know an image by.
import type { ScanReport } from '../types.ts';

/** The target as given, with and without its scheme, tag and digest, and the digest of the image itself. */
export function imageNames({ target, image }: Pick<ScanReport, 'target' | 'image'>): readonly string[] {
  const bare = target.replace(/^(?:oci|docker-archive|dir|sbom):/, '');
  const withoutDigest = bare.replace(/@sha(?:256|512):[0-9a-f]+$/, '');
  const withoutTag = withoutDigest.replace(/:[^/:]*$/, '');
  const names = [target, bare, withoutDigest, withoutTag, ...(image === null ? [] : [image.digest])];
  return [...new Set(names)].filter((name) => name !== '');
}
