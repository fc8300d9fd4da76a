// Sends requests to one registry: authorization, redirects, rate limits and retries (OCI distribution-spec, RFC 9110).
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import {
  type Clock,
  coreErrors,
  describeError,
  type HttpResponse,
  httpSend,
  readBody,
  systemClock,
  systemErrorCode,
} from '../../core/index.ts';
import { ociErrors } from '../errors.ts';
import { isJsonObject, parseJsonObject, stringAt } from '../json-document.ts';
import { Authorization } from './authorization.ts';
import { parseChallenges } from './challenge.ts';
import type { RegistryCredential } from './credentials.ts';

const MAX_REDIRECTS = 5;
const MAX_ATTEMPTS = 4;
const MAX_WAIT_MS = 60_000;
const MAX_ERROR_BODY = 64 * 1024;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

export interface TransportOptions {
  readonly credential?: RegistryCredential | null;
  /** Speak HTTP without TLS. Default: only to the loopback interface. */
  readonly plainHttp?: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** `public-only` refuses registries, token servers and redirects at private addresses. */
  readonly addresses?: 'any' | 'public-only';
}

export interface RegistryRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path and query on the registry (`/v2/…`), or the full address the registry gave. */
  readonly url: string | URL;
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream can be sent once only: have the authorization settled by an earlier request. */
  readonly body?: Buffer | Readable;
  readonly signal?: AbortSignal;
}

/** Talks to one registry. */
export class RegistryTransport {
  /** As in references: `docker.io`, `localhost:5000`. */
  readonly host: string;
  readonly base: URL;
  readonly #authorization: Authorization;
  readonly #signal: AbortSignal | undefined;
  readonly #addresses: 'any' | 'public-only';
  readonly #clock: Clock;

  constructor(host: string, options: TransportOptions = {}) {
    this.host = host;
    const plainHttp = options.plainHttp ?? LOOPBACK.test(host);
    const apiHost = host === 'docker.io' ? 'registry-1.docker.io' : host;
    this.base = new URL(`${plainHttp ? 'http' : 'https'}://${apiHost}/`);
    this.#signal = options.signal;
    this.#addresses = options.addresses ?? 'any';
    this.#clock = options.clock ?? systemClock;
    this.#authorization = new Authorization({
      credential: options.credential ?? null,
      host,
      plainHttp,
      clock: this.#clock,
      addresses: this.#addresses,
    });
  }

  /** The response to a request, any status but 401, 403, 429 and redirects of reads. The caller consumes the body. */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const isRepeatable = request.body === undefined || Buffer.isBuffer(request.body);
    for (let attempt = 1; ; attempt++) {
      let response: HttpResponse;
      try {
        response = await this.#authorized(request, isRepeatable);
      } catch (error) {
        if (!isRead(request) || attempt >= MAX_ATTEMPTS || !isPassing(error) || this.#aborted(request)) {
          throw this.#translate(error, request);
        }
        await this.#pause(250 * 2 ** attempt, request);
        continue;
      }
      const isBusy =
        response.status === 429 || (response.status === 503 && 'retry-after' in response.headers);
      if (!isBusy) return response;
      response.body.destroy();
      if (!isRepeatable || attempt >= MAX_ATTEMPTS) {
        throw ociErrors.create('OCI_REGISTRY_BUSY', { host: this.host, attempts: attempt });
      }
      await this.#pause(this.#retryAfter(response) ?? 500 * 2 ** attempt, request);
    }
  }

  /** Sends a request and reads the whole answer, at most `limit` bytes. */
  async read(request: RegistryRequest, limit: number): Promise<{ response: HttpResponse; body: Buffer }> {
    const response = await this.send(request);
    try {
      return { response, body: await readBody(response, limit, this.host) };
    } catch (error) {
      throw this.#translate(error, request);
    }
  }

  /** The error for an answer that does not have a wanted status; consumes its body. */
  async failure(response: HttpResponse, what: string): Promise<Error> {
    const body = await readBody(response, MAX_ERROR_BODY, this.host).catch(() => Buffer.alloc(0));
    return this.refusal(response.status, body, what);
  }

  /** The error for an answer whose body has been read. */
  refusal(status: number, body: Buffer, what: string): Error {
    if (status === 404) return ociErrors.create('OCI_NOT_FOUND', { what, target: this.host });
    const code = status === 401 || status === 403 ? 'OCI_REGISTRY_DENIED' : 'OCI_REGISTRY_ANSWER';
    return ociErrors.create(code, { host: this.host, what, reason: `${status}${errorMessage(body)}` });
  }

  /** An address the registry answered with, resolved against the request it answered. */
  resolve(location: string | undefined, request: string | URL): URL {
    const base = new URL(request, this.base);
    if (location !== undefined && URL.canParse(location, base.href)) {
      const url = new URL(location, base);
      if (url.protocol === 'https:' || url.protocol === base.protocol) return url;
    }
    throw ociErrors.create('OCI_REGISTRY_ANSWER', {
      host: this.host,
      what: `the request ${base.pathname}`,
      reason: 'it names no usable address to go on with',
    });
  }

  /** Waits, unless the operation is aborted meanwhile: then throws `OCI_ABORTED`. */
  async #pause(milliseconds: number, request: RegistryRequest): Promise<void> {
    const signals = [this.#signal, request.signal].filter((signal) => signal !== undefined);
    await sleep(Math.min(milliseconds, MAX_WAIT_MS), undefined, { signal: AbortSignal.any(signals) }).catch(
      (error: unknown) => {
        throw ociErrors.create('OCI_ABORTED', {}, error);
      },
    );
  }

  async #authorized(request: RegistryRequest, isRepeatable: boolean): Promise<HttpResponse> {
    const first = await this.#follow(request, this.#authorization.current(request.scopes));
    if (first.status !== 401) return first;
    const challenges = parseChallenges(String(first.headers['www-authenticate'] ?? ''));
    first.body.destroy();
    const signal = request.signal ?? this.#signal;
    const header = await this.#authorization.answer(challenges, request.scopes, signal);
    if (!isRepeatable) throw await this.failure(first, `${request.method} without a fresh token`);
    return this.#follow(request, header);
  }

  /** Follows redirects of reads. The Authorization header only ever goes to the registry itself. */
  async #follow(request: RegistryRequest, authorization: string | undefined): Promise<HttpResponse> {
    let url = new URL(request.url, this.base);
    for (let redirects = 0; ; redirects++) {
      const response = await this.#once(
        request,
        url,
        url.host === this.base.host ? authorization : undefined,
      );
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status);
      if (!isRedirect || !isRead(request)) return response;
      response.body.destroy();
      if (redirects >= MAX_REDIRECTS) {
        const what = `the request ${url.pathname}`;
        throw ociErrors.create('OCI_REGISTRY_ANSWER', {
          host: this.host,
          what,
          reason: 'too many redirects',
        });
      }
      url = this.resolve(response.headers.location, url);
    }
  }

  #once(request: RegistryRequest, url: URL, authorization: string | undefined): Promise<HttpResponse> {
    const signals = [this.#signal, request.signal].filter((signal) => signal !== undefined);
    const length = Buffer.isBuffer(request.body) ? { 'content-length': String(request.body.length) } : {};
    return httpSend({
      method: request.method ?? 'GET',
      url,
      addresses: this.#addresses,
      headers: {
        'user-agent': 'breakwater',
        ...length,
        ...request.headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    });
  }

  #retryAfter(response: HttpResponse): number | undefined {
    const value = response.headers['retry-after'];
    if (value === undefined) return undefined;
    if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
    const date = Date.parse(value);
    return Number.isNaN(date) ? undefined : Math.max(0, date - this.#clock.now());
  }

  #aborted(request: RegistryRequest): boolean {
    return this.#signal?.aborted === true || request.signal?.aborted === true;
  }

  #translate(error: unknown, request: RegistryRequest): unknown {
    if (this.#aborted(request)) return ociErrors.create('OCI_ABORTED', {}, error);
    if (!coreErrors.is(error, 'CORE_HTTP_FAILED')) return error;
    const reason = describeError(error.cause ?? error);
    return ociErrors.create('OCI_REGISTRY_UNREACHABLE', { host: this.host, reason }, error);
  }
}

function isRead(request: RegistryRequest): boolean {
  return request.method === undefined || request.method === 'GET' || request.method === 'HEAD';
}

/** A broken connection is worth another attempt; a host that is not there is not. */
function isPassing(error: unknown): boolean {
  const isThere = !['ECONNREFUSED', 'ENOTFOUND'].includes(systemErrorCode(error) ?? '');
  return isThere && coreErrors.is(error, 'CORE_HTTP_FAILED');
}

/** The first message of an error answer (distribution-spec "Error codes"), shortened; empty when there is none. */
function errorMessage(body: Buffer): string {
  const document = parseJsonObject(body);
  const errors = typeof document === 'string' ? undefined : document['errors'];
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (!isJsonObject(first)) return '';
  const text = [stringAt(first, 'code'), stringAt(first, 'message')].filter(Boolean).join(': ');
  return text === '' ? '' : ` (${text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300)})`;
}
