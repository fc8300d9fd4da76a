// Targets of `scan`: image reference, `oci:DIR[:TAG]`, `docker-archive:FILE[:TAG]`, `dir:PATH`, `sbom:FILE`.
import { existsSync } from 'node:fs';
import { systemClock } from '../core/index.ts';
import {
  findCredential,
  type ImageSource,
  isTag,
  openDockerArchive,
  openOciLayout,
  openRegistryImage,
  parseReference,
  type Reference,
} from '../oci/index.ts';
import { cliErrors } from './errors.ts';

export type ScanTarget =
  | { readonly kind: 'registry'; readonly text: string; readonly reference: Reference }
  | { readonly kind: 'layout'; readonly text: string; readonly path: string; readonly tag: string | null }
  | { readonly kind: 'archive'; readonly text: string; readonly path: string; readonly tag: string | null }
  | { readonly kind: 'directory'; readonly text: string; readonly path: string }
  | { readonly kind: 'sbom'; readonly text: string; readonly path: string };

/**
 * Reads a target without touching it, except to see which of two readings of `oci:a:b` exists.
 * @throws CLI_TARGET_UNSUPPORTED, OCI_REFERENCE_INVALID
 */
export function parseTarget(text: string, offline: boolean): ScanTarget {
  const refuse = (reason: string): Error =>
    cliErrors.create('CLI_TARGET_UNSUPPORTED', { target: text, reason });
  const scheme = /^(oci|docker-archive|dir|sbom):/.exec(text)?.[1];
  const rest = scheme === undefined ? '' : text.slice(scheme.length + 1);
  if (scheme !== undefined && rest === '') throw refuse(`a path must follow ${scheme}:`);
  switch (scheme) {
    case 'dir':
      return { kind: 'directory', text, path: rest };
    case 'oci':
      return { kind: 'layout', text, ...splitTag(rest) };
    case 'docker-archive':
      return { kind: 'archive', text, ...splitTag(rest) };
    case 'sbom':
      return { kind: 'sbom', text, path: rest };
    default:
      if (offline) throw refuse('an image reference needs the network, which --offline rules out');
      return { kind: 'registry', text, reference: parseReference(text) };
  }
}

/** `DIR:TAG`, unless a file of the whole name exists. */
function splitTag(rest: string): { readonly path: string; readonly tag: string | null } {
  const colon = rest.lastIndexOf(':');
  const tag = rest.slice(colon + 1);
  if (colon <= 0 || !isTag(tag) || existsSync(rest)) return { path: rest, tag: null };
  return { path: rest.slice(0, colon), tag };
}

/** Opens where the image is read from; credentials come from the files that docker and podman write. */
export async function openTarget(
  target: Exclude<ScanTarget, { readonly kind: 'directory' | 'sbom' }>,
  environment: NodeJS.ProcessEnv,
): Promise<ImageSource> {
  switch (target.kind) {
    case 'layout':
      return openOciLayout(target.path, target.tag === null ? {} : { tag: target.tag });
    case 'archive':
      return openDockerArchive(target.path, target.tag === null ? {} : { reference: target.tag });
    case 'registry': {
      const { registry, repository } = target.reference;
      const credential = await findCredential(registry, repository, environment);
      return openRegistryImage(target.reference, { credential, clock: systemClock });
    }
  }
}
