// Platforms of images as text: `os/architecture[/variant]` (OCI image-spec image-index.md), and what is no image at all.
import type { Descriptor, Platform } from '../oci/index.ts';

/** The platform as one word; null when there is none. */
export function platformName(
  platform: Pick<Platform, 'os' | 'architecture' | 'variant'> | undefined,
): string | null {
  if (platform === undefined || platform.os === '' || platform.architecture === '') return null;
  const variant = platform.variant === undefined || platform.variant === '' ? '' : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/** Is it the wanted platform? A wanted platform without a variant takes every variant. */
export function matchesPlatform(
  platform: Pick<Platform, 'os' | 'architecture' | 'variant'> | undefined,
  wanted: string,
): boolean {
  const [os, architecture, variant] = wanted.toLowerCase().split('/');
  return (
    platform !== undefined &&
    platform.os === os &&
    platform.architecture === architecture &&
    (variant === undefined || platform.variant === variant)
  );
}

/** Attestation manifests stand in an index beside the images they speak of (BuildKit, "image attestation storage"). */
export function isAttestation(child: Descriptor): boolean {
  const type = child.annotations?.['vnd.docker.reference.type'];
  return (
    type !== undefined || (child.platform?.os === 'unknown' && child.platform.architecture === 'unknown')
  );
}
