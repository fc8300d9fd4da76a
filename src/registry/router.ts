// Takes the path of a `/v2` or `/oauth2` request apart (OCI distribution-spec 1.1, "Endpoints"). No regular expressions over the path.
import { isRepositoryName } from '../oci/index.ts';

/** Longest request target looked at, in characters. */
export const MAX_TARGET_CHARACTERS = 8 * 1024;

export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'token' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'invalid-name'; readonly reason: string }
  | { readonly kind: 'unknown' };

export interface Target {
  readonly route: Route;
  /** The query as sent, without the question mark. */
  readonly query: string;
}

/**
 * Finds the route of a request target. Repository names may hold path components like `tags` or `blobs`, so the path
 * is read from its end. Percent-encoding is only undone in the last component, and never to a slash or a dot segment.
 */
export function matchTarget(target: string): Target {
  if (target.length > MAX_TARGET_CHARACTERS) return { route: { kind: 'unknown' }, query: '' };
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  return { route: matchPath(path), query };
}

function matchPath(path: string): Route {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' };
  if (path === '/oauth2/token') return { kind: 'token' };
  if (!path.startsWith('/v2/')) return { kind: 'unknown' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const lastSlash = path.lastIndexOf('/');
  const last = path.slice(lastSlash + 1);
  const before = path.lastIndexOf('/', lastSlash - 1);
  if (before < 3) return { kind: 'unknown' };
  const word = path.slice(before + 1, lastSlash);
  switch (word) {
    case 'manifests':
      return named(path, before, last, (repository, reference) => ({
        kind: 'manifest',
        repository,
        reference,
      }));
    case 'blobs':
      if (last === 'uploads')
        return named(path, before, last, (repository) => ({ kind: 'uploads', repository }));
      return named(path, before, last, (repository, digest) => ({ kind: 'blob', repository, digest }));
    case 'referrers':
      return named(path, before, last, (repository, digest) => ({ kind: 'referrers', repository, digest }));
    case 'tags':
      if (last !== 'list') return { kind: 'unknown' };
      return named(path, before, last, (repository) => ({ kind: 'tags', repository }));
    case 'uploads': {
      const third = path.lastIndexOf('/', before - 1);
      if (third < 3 || path.slice(third + 1, before) !== 'blobs') return { kind: 'unknown' };
      if (last === '') {
        return named(path, third, 'uploads', (repository) => ({ kind: 'uploads', repository }));
      }
      return named(path, third, last, (repository, id) => ({ kind: 'upload', repository, id }));
    }
    default:
      return { kind: 'unknown' };
  }
}

function named(
  path: string,
  end: number,
  encoded: string,
  make: (repository: string, last: string) => Route,
): Route {
  if (end <= 3) return { kind: 'unknown' };
  const repository = path.slice(4, end);
  if (!isRepositoryName(repository)) {
    return { kind: 'invalid-name', reason: 'the repository name does not follow the specification' };
  }
  const last = decodeComponent(encoded);
  if (last === undefined)
    return { kind: 'invalid-name', reason: 'the last path component is not acceptable' };
  return make(repository, last);
}

/** Undoes percent-encoding of one component; undefined when it is malformed or hides a slash or a dot segment. */
function decodeComponent(encoded: string): string | undefined {
  let decoded = encoded;
  if (encoded.includes('%')) {
    try {
      decoded = decodeURIComponent(encoded);
    } catch {
      return undefined;
    }
  }
  if (decoded === '' || decoded === '.' || decoded === '..') return undefined;
  for (let index = 0; index < decoded.length; index++) {
    const code = decoded.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === 0x2f || code === 0x5c || code === 0x25) return undefined;
  }
  return decoded;
}

const NO_PARAMETERS: URLSearchParams = new URLSearchParams();

/** The query of a target. */
export function parseQuery(query: string): URLSearchParams {
  return query === '' ? NO_PARAMETERS : new URLSearchParams(query);
}
