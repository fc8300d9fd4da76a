// Tag lists: GET `/v2/<name>/tags/list` (OCI distribution-spec end-8a, end-8b), in the order of their bytes.
import { authorize } from './authorization.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError, methodNotAllowed, repositoryUnknown } from './distribution-errors.ts';
import { parseOffset } from './ranges.ts';
import { nextLink, sendJson } from './responses.ts';
import { findRepository } from './store.ts';
import { listTags } from './store-lists.ts';

/** Most names in one answer; more are reached by `Link`. */
export const MAX_PAGE = 10_000;

export async function serveTags(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
): Promise<void> {
  if (exchange.request.method !== 'GET' && exchange.request.method !== 'HEAD') {
    throw methodNotAllowed('GET, HEAD');
  }
  await authorize(context, exchange, { type: 'repository', name: repository, action: 'pull' });
  const { limit, after } = readPage(exchange.query);
  const repositoryId = await findRepository(context.store.db, repository);
  if (repositoryId === undefined) throw repositoryUnknown(repository);
  const names =
    limit === 0 ? [] : await listTags(context.store.db, repositoryId, { after, limit: limit + 1 });
  const page = names.slice(0, limit);
  const last = page.at(-1);
  const link =
    names.length > limit && last !== undefined
      ? { link: nextLink(`/v2/${repository}/tags/list`, { n: String(limit), last }) }
      : {};
  sendJson(exchange, JSON.stringify({ name: repository, tags: page }), link);
}

/** The `n` and `last` parameters of a list. */
export function readPage(query: URLSearchParams): { readonly limit: number; readonly after: string | null } {
  const asked = query.get('n');
  const limit = asked === null ? MAX_PAGE : parseOffset(asked);
  if (limit === undefined) {
    throw new DistributionError(400, { code: 'UNSUPPORTED', message: 'n must be a whole number, 0 or more' });
  }
  const after = query.get('last');
  return {
    limit: Math.min(limit, MAX_PAGE),
    after: after === null || after === '' ? null : after.slice(0, 512),
  };
}
