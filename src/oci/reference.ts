// Image references as users write them (Docker's rules) and the name and tag grammar of OCI distribution-spec 1.1.
import { isDigest } from './digest.ts';
import { ociErrors } from './errors.ts';
import type { Digest } from './types.ts';

/** `[registry/]repository[:tag][@digest]`, with Docker's defaults filled in. */
export interface Reference {
  /** Host and optional port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Without the registry: `library/debian`, `team/app`. */
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

const DEFAULT_REGISTRY = 'docker.io';
const MAX_NAME_LENGTH = 255;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const HOST =
  /^(?:\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62})(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}))*)(?::[0-9]{1,5})?$/;

/** Is it a repository name by OCI distribution-spec ("Pulling manifests"), at most 255 characters? */
export function isRepositoryName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name);
}

/** Is it a tag by OCI distribution-spec, at most 128 characters? */
export function isTag(tag: string): boolean {
  return TAG.test(tag);
}

/**
 * Reads a reference by Docker's rules: without a host it is `docker.io`, where a single name is in `library/`.
 * A missing tag stays null: the caller decides whether `latest` is meant. Throws `OCI_REFERENCE_INVALID`.
 */
export function parseReference(text: string): Reference {
  const fail = (reason: string): never => {
    throw ociErrors.create('OCI_REFERENCE_INVALID', { reference: text.slice(0, 300), reason });
  };
  if (text.length > 1024) return fail('it is longer than 1,024 characters');
  const at = text.indexOf('@');
  const digestText = at < 0 ? null : text.slice(at + 1);
  let name = at < 0 ? text : text.slice(0, at);
  if (digestText !== null && !isDigest(digestText)) return fail('what follows @ is not a digest');

  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? null : name.slice(colon + 1);
  if (tag !== null && !isTag(tag)) return fail(`"${tag.slice(0, 140)}" is not a tag`);
  if (colon >= 0) name = name.slice(0, colon);

  const { registry, repository } = splitName(name);
  if (!HOST.test(registry)) return fail(`"${registry.slice(0, 140)}" is not a host`);
  if (repository === '') return fail('it names no repository');
  if (repository !== repository.toLowerCase()) return fail('repository names are lower case');
  if (!isRepositoryName(repository) || registry.length + 1 + repository.length > MAX_NAME_LENGTH) {
    return fail('the repository name is not valid');
  }
  return { registry, repository, tag, digest: digestText };
}

/** The full form of a reference, from which `parseReference` reads the same parts. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`;
  const digest = reference.digest === null ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  let registry = isHost ? first : DEFAULT_REGISTRY;
  let repository = isHost ? name.slice(slash + 1) : name;
  if (registry === 'index.docker.io') registry = DEFAULT_REGISTRY;
  if (registry === DEFAULT_REGISTRY && repository !== '' && !repository.includes('/')) {
    repository = `library/${repository}`;
  }
  return { registry, repository };
}
