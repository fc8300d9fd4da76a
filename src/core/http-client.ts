// The outgoing HTTP client (RFC 9110): address guard against server-side request forgery, time and size limits, redirects by hand.
import { lookup as dnsLookup } from 'node:dns';
import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { defineErrors, describeError } from './errors.ts';

export const coreErrors = defineErrors('core', {
  CORE_HTTP_ADDRESS_REFUSED: {
    status: 422,
    message: 'refused to connect to {host}: {address} is not a public address',
    hint: 'Use a public address, or allow private addresses for this destination in its settings.',
    exit: 3,
  },
  CORE_HTTP_FAILED: {
    status: 502,
    message: 'request to {host} failed: {reason}',
    hint: 'Check that the host is reachable from this machine and that its name and port are right.',
    exit: 3,
  },
  CORE_PROXY_INVALID: {
    status: 500,
    message: 'the address of the proxy cannot be used',
    hint: 'Set HTTP_PROXY and HTTPS_PROXY to an address like http://proxy.example:3128, or unset them.',
    exit: 2,
  },
  CORE_HTTP_TOO_LARGE: {
    status: 502,
    message: 'answer of {host} is larger than {limit} bytes',
    hint: 'The other side sent more than this call may take; check that the address is the right one.',
    exit: 3,
  },
});

export interface HttpRequest {
  readonly method?: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | Readable;
  /** Longest silence before the request is given up, in milliseconds. Default 30,000. */
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** `public-only` refuses loopback, private, link-local and other special addresses after name resolution. */
  readonly addresses?: 'any' | 'public-only';
  /** Connections to use instead of the process's own, e.g. through a proxy (`proxyAgents`). */
  readonly agents?: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The body as it arrives. Consume it or call `destroy()`. */
  readonly body: IncomingMessage;
}

/** Sends one request and returns the response head with a streaming body. Redirects are not followed. */
export function httpSend(request: HttpRequest): Promise<HttpResponse> {
  const { url } = request;
  const publicOnly = request.addresses === 'public-only';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (publicOnly && isIP(host) !== 0 && !isPublicAddress(host)) {
    return Promise.reject(coreErrors.create('CORE_HTTP_ADDRESS_REFUSED', { host, address: host }));
  }
  const secure = url.protocol === 'https:';
  const send = secure ? httpsRequest : httpRequest;
  const agent = secure ? request.agents?.https : request.agents?.http;
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method: request.method ?? 'GET',
      headers: { ...request.headers },
      ...(request.signal ? { signal: request.signal } : {}),
      ...(publicOnly ? { lookup: publicLookup } : {}),
      ...(agent === undefined ? {} : { agent }),
      timeout: request.idleTimeoutMs ?? 30_000,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within the time limit')));
    outgoing.on('error', (error) =>
      reject(
        coreErrors.is(error)
          ? error
          : coreErrors.create(
              'CORE_HTTP_FAILED',
              { host: url.host, reason: describeError(error) || error.name },
              error,
            ),
      ),
    );
    outgoing.on('response', (body) => resolve({ status: body.statusCode ?? 0, headers: body.headers, body }));
    const { body } = request;
    if (body === undefined) outgoing.end();
    else if (typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
    else {
      body.on('error', (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    }
  });
}

/** Reads a whole body, refusing more than `limit` bytes. */
export async function readBody(response: HttpResponse, limit: number, host: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) {
        response.body.destroy();
        throw coreErrors.create('CORE_HTTP_TOO_LARGE', { host, limit });
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (coreErrors.is(error)) throw error;
    throw coreErrors.create('CORE_HTTP_FAILED', { host, reason: describeError(error) }, error);
  }
  return Buffer.concat(chunks, size);
}

const special = specialAddresses();

/** Is this textual IP address a public unicast address (IANA special-purpose registries excluded)? */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPublicAddress(mapped);
  const family = isIP(address);
  if (family === 0) return false;
  return family === 6 ? !special.ipv6.check(address, 'ipv6') : !special.ipv4.check(address, 'ipv4');
}

/** One list a family: a list that holds the mapped prefix of IPv6 would match every IPv4 address. */
function specialAddresses(): { readonly ipv4: BlockList; readonly ipv6: BlockList } {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  const ipv4: [string, number][] = [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ];
  const ipv6: [string, number][] = [
    ['::', 96],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['100::', 64],
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ];
  for (const [network, prefix] of ipv4) lists.ipv4.addSubnet(network, prefix, 'ipv4');
  for (const [network, prefix] of ipv6) lists.ipv6.addSubnet(network, prefix, 'ipv6');
  return lists;
}

/** Name resolution that hands out public addresses only, so that the checked address is the one connected to. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, '', 0);
      return;
    }
    const refused = addresses.find((entry) => !isPublicAddress(entry.address));
    const first = addresses[0];
    if (refused || !first) {
      const address = refused?.address ?? 'nothing';
      callback(coreErrors.create('CORE_HTTP_ADDRESS_REFUSED', { host: hostname, address }), '', 0);
      return;
    }
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
