// One request of `/v2` or `/oauth2`: finds its endpoint, runs it, and turns whatever goes wrong into an answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BreakwaterError, describeError } from '../core/index.ts';
import { isUnstorableText } from '../store/index.ts';
import { authorize } from './authorization.ts';
import { serveBlob } from './blobs.ts';
import { serveCatalog } from './catalog.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError, methodNotAllowed, sendError, unavailable } from './distribution-errors.ts';
import { serveManifest } from './manifests.ts';
import { serveReferrers } from './referrers.ts';
import { ClientGone, discardBody } from './request-body.ts';
import { sendJson } from './responses.ts';
import { matchTarget, parseQuery } from './router.ts';
import type { Route } from './router.ts';
import { isDatabaseTrouble, isStorageFull } from './store.ts';
import { serveTags } from './tags.ts';
import { serveToken } from './token-endpoint.ts';
import { serveUpload, serveUploads } from './uploads.ts';

/** Answers a request. Never rejects. */
export async function handleRequest(
  context: RegistryContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { route, query } = matchTarget(request.url ?? '/');
  const exchange: Exchange = {
    request,
    response,
    query: parseQuery(query),
    address: peerAddress(request),
  };
  try {
    await dispatch(context, exchange, route);
  } catch (error) {
    fail(context, exchange, route, error);
  }
  context.instruments.count(route.kind, methodLabel(request.method), response.statusCode);
  if (!request.complete) discardBody(request);
}

function dispatch(context: RegistryContext, exchange: Exchange, route: Route): Promise<void> {
  switch (route.kind) {
    case 'manifest':
      return serveManifest(context, exchange, route.repository, route.reference);
    case 'blob':
      return serveBlob(context, exchange, route.repository, route.digest);
    case 'base':
      return serveBase(context, exchange);
    case 'token':
      return serveToken(context, exchange);
    case 'uploads':
      return serveUploads(context, exchange, route.repository);
    case 'upload':
      return serveUpload(context, exchange, route.repository, route.id);
    case 'tags':
      return serveTags(context, exchange, route.repository);
    case 'referrers':
      return serveReferrers(context, exchange, route.repository, route.digest);
    case 'catalog':
      return serveCatalog(context, exchange);
    case 'invalid-name':
      return refuse(new DistributionError(400, { code: 'NAME_INVALID', message: route.reason }));
    case 'unknown':
      return refuse(
        new DistributionError(404, { code: 'UNSUPPORTED', message: 'there is no such endpoint' }),
      );
  }
}

function refuse(error: DistributionError): Promise<never> {
  return Promise.reject(error);
}

/** `/v2/`: says that this is a registry, to whoever is somebody (OCI distribution-spec end-1). */
async function serveBase(context: RegistryContext, exchange: Exchange): Promise<void> {
  const { method } = exchange.request;
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
  await authorize(context, exchange, null);
  sendJson(exchange, '{}');
}

function fail(context: RegistryContext, exchange: Exchange, route: Route, error: unknown): void {
  const { request, response } = exchange;
  if (error instanceof ClientGone) {
    response.destroy();
    return;
  }
  const answer = toAnswer(error);
  if (answer.status >= 500) {
    context.logger.error(
      { route: route.kind, method: request.method, err: error },
      `registry request failed: ${describeError(error)}`,
    );
  }
  // Once the head is out, only a broken connection still tells the client that something is wrong.
  if (response.headersSent) response.destroy();
  else {
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    sendError(response, answer);
  }
}

function toAnswer(error: unknown): DistributionError {
  if (error instanceof DistributionError) return error;
  if (isStorageFull(error)) {
    return new DistributionError(507, { code: 'STORAGE_FULL' }, { 'retry-after': '60' });
  }
  if (isUnstorableText(error)) {
    return new DistributionError(400, {
      code: 'UNSUPPORTED',
      message: 'the request holds a NUL character, which nothing here has in its name',
    });
  }
  if (isDatabaseTrouble(error)) return unavailable('the database does not answer; try again');
  if (error instanceof BreakwaterError && error.status === 429) {
    return new DistributionError(429, { code: 'TOOMANYREQUESTS' }, { 'retry-after': '10' });
  }
  return new DistributionError(500, { code: 'UNKNOWN' });
}

/** The socket's other end, with IPv4 written as IPv4. */
function peerAddress(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

/** A foreign word must not become a label of its own. */
function methodLabel(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : 'other';
}
