// Small answers that several endpoints give: JSON, empty bodies, conditional requests.
import type { Exchange } from './context.ts';

const BASE_HEADERS = {
  'docker-distribution-api-version': 'registry/2.0',
  'x-content-type-options': 'nosniff',
};

/** Sends a JSON text; a HEAD request gets the head only. */
export function sendJson(
  exchange: Exchange,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { response } = exchange;
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...BASE_HEADERS,
    ...headers,
  });
  response.end(text);
}

/** Sends a status without a body. */
export function sendEmpty(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string | readonly string[]>>,
): void {
  const flat: [string, string | string[]][] = Object.entries({ ...BASE_HEADERS, ...headers }).map(
    ([name, value]) => [name, typeof value === 'string' ? value : [...value]],
  );
  if (status !== 204 && status !== 304) flat.push(['content-length', '0']);
  exchange.response.writeHead(status, Object.fromEntries(flat));
  exchange.response.end();
}

/** Does `If-None-Match` name this entity tag (RFC 9110 section 13.1.2, weak comparison)? */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag || header.trim() === '*') return true;
  if (header.length > 4096) return false;
  return header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);
}

const NAMESPACE = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253})(?::[0-9]{1,5})?$/;

/** The `OCI-Namespace` to answer to a mirror request's `ns` parameter; it changes nothing else. */
export function namespaceOf(exchange: Exchange): string | undefined {
  const namespace = exchange.query.get('ns');
  return namespace !== null && NAMESPACE.test(namespace) ? namespace : undefined;
}

/** A `Link` to the next page (RFC 8288). */
export function nextLink(path: string, parameters: Readonly<Record<string, string>>): string {
  return `<${path}?${new URLSearchParams(parameters).toString()}>; rel="next"`;
}
