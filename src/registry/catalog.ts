// The list of repositories: GET `/v2/_catalog` (Docker Registry HTTP API V2), for whoever was granted `registry:catalog:*`.
import { authorize } from './authorization.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { methodNotAllowed } from './distribution-errors.ts';
import { nextLink, sendJson } from './responses.ts';
import { listRepositoryNames } from './store-lists.ts';
import { readPage } from './tags.ts';

export async function serveCatalog(context: RegistryContext, exchange: Exchange): Promise<void> {
  if (exchange.request.method !== 'GET' && exchange.request.method !== 'HEAD') {
    throw methodNotAllowed('GET, HEAD');
  }
  await authorize(context, exchange, { type: 'catalog' });
  const { limit, after } = readPage(exchange.query);
  const names = limit === 0 ? [] : await listRepositoryNames(context.store.db, { after, limit: limit + 1 });
  const repositories = names.slice(0, limit);
  const last = repositories.at(-1);
  const link =
    names.length > limit && last !== undefined
      ? { link: nextLink('/v2/_catalog', { n: String(limit), last }) }
      : {};
  sendJson(exchange, JSON.stringify({ repositories }), link);
}
