// Downloads one feed: conditional requests, resumption by range, mirrors, throttling (RFC 9110 sections 10, 13, 14 and 15).
import { open } from 'node:fs/promises';
import {
  type Clock,
  describeError,
  type HttpAgents,
  type HttpResponse,
  httpSend,
  systemErrorCode,
} from '../../core/index.ts';
import { contentProblem } from './content-check.ts';
import type { CachedFeed, DownloadCache, PartialDownload } from './download-cache.ts';
import type { Feed } from './feeds.ts';

export interface DownloadContext {
  readonly cache: DownloadCache;
  readonly clock: Clock;
  /** Waits between attempts; rejects when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  readonly agents?: HttpAgents;
  readonly signal?: AbortSignal;
}

/** What became of a feed. `checkedAt`: when its publisher last said that this is the newest. */
export type DownloadOutcome =
  | { readonly kind: 'downloaded' | 'unchanged'; readonly path: string; readonly checkedAt: number }
  /** It could not be had; a copy from before is there. */
  | { readonly kind: 'cached'; readonly path: string; readonly checkedAt: number; readonly problem: Problem }
  | { readonly kind: 'missing'; readonly problem: Problem };

export interface Problem {
  readonly reason: string;
  /** Did no address answer at all? */
  readonly unreachable: boolean;
}

const MAX_ATTEMPTS = 4;
const MAX_REDIRECTS = 5;
/** A publisher that asks for more patience than this is not waited for. */
const MAX_WAIT_MS = 30_000;
const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ETIMEDOUT',
]);

type Known = (CachedFeed & { readonly path: string }) | undefined;

/** Gets a feed from the first address that gives it. Does not throw, except when aborted. */
export async function downloadFeed(feed: Feed, context: DownloadContext): Promise<DownloadOutcome> {
  const known = await context.cache.get(feed.id);
  const reasons: string[] = [];
  let unreachable = true;
  for (const url of feed.urls) {
    const result = await new Download(feed, url, known, context).run();
    if ('path' in result) return result;
    reasons.push(`${url.host}: ${result.reason}`);
    unreachable &&= result.unreachable;
  }
  const problem = { reason: reasons.join('; '), unreachable };
  if (known === undefined) return { kind: 'missing', problem };
  return { kind: 'cached', path: known.path, checkedAt: known.checkedAt, problem };
}

type Done = Extract<DownloadOutcome, { readonly kind: 'downloaded' | 'unchanged' }>;
type Attempt = Done | Problem | { readonly again: string; readonly afterMs: number };

class Download {
  readonly #feed: Feed;
  readonly #url: URL;
  readonly #known: Known;
  readonly #context: DownloadContext;

  constructor(feed: Feed, url: URL, known: Known, context: DownloadContext) {
    this.#feed = feed;
    this.#url = url;
    this.#known = known;
    this.#context = context;
  }

  async run(): Promise<Done | Problem> {
    const { signal, pause } = this.#context;
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt().catch((error: unknown): Attempt => {
        signal?.throwIfAborted();
        const reason = describeError(error);
        if (UNREACHABLE.has(systemErrorCode(error) ?? '')) return { reason, unreachable: true };
        return { again: reason, afterMs: 250 * 2 ** attempt };
      });
      if (!('again' in result)) return result;
      if (attempt >= MAX_ATTEMPTS || result.afterMs > MAX_WAIT_MS) {
        return { reason: result.again, unreachable: false };
      }
      await pause(result.afterMs, signal);
    }
  }

  async #attempt(): Promise<Attempt> {
    const { cache, clock } = this.#context;
    const partial = await cache.partial(this.#feed.id);
    const resumed = partial?.url === this.#url.href ? partial : undefined;
    const response = await this.#send(this.#conditions(resumed));
    const { status, body } = response;
    if (status === 200 || status === 206) return this.#receive(response, resumed);
    body.destroy();
    if (status === 304 && this.#known !== undefined) {
      const checkedAt = clock.now();
      await cache.confirm(this.#feed.id, this.#known, checkedAt);
      return { kind: 'unchanged', path: this.#known.path, checkedAt };
    }
    if (status === 416 && resumed !== undefined) {
      await cache.dropPartial(this.#feed.id);
      return { again: 'it could not be resumed', afterMs: 0 };
    }
    if (status === 429 || status === 503) {
      return { again: `it is throttled (status ${status})`, afterMs: this.#retryAfter(response) };
    }
    if (status >= 500) return { again: `status ${status}`, afterMs: 1_000 };
    return { reason: `status ${status}`, unreachable: false };
  }

  #conditions(partial: PartialDownload | undefined): Readonly<Record<string, string>> {
    if (partial !== undefined) return { range: `bytes=${partial.bytes}-`, 'if-range': partial.validator };
    const known = this.#known;
    if (known?.url !== this.#url.href) return {};
    if (known.etag !== null) return { 'if-none-match': known.etag };
    return known.lastModified === null ? {} : { 'if-modified-since': known.lastModified };
  }

  /** Follows redirects, but never from TLS to plain text. */
  async #send(headers: Readonly<Record<string, string>>): Promise<HttpResponse> {
    const { agents, signal } = this.#context;
    let url = this.#url;
    for (let redirects = 0; ; redirects++) {
      const response = await httpSend({
        url,
        headers: { 'user-agent': 'breakwater', 'accept-encoding': 'identity', ...headers },
        ...(agents === undefined ? {} : { agents }),
        ...(signal === undefined ? {} : { signal }),
      });
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
      response.body.destroy();
      const next = new URL(location, url);
      if (redirects >= MAX_REDIRECTS) throw new Error('too many redirects');
      if (next.protocol !== 'https:' && next.protocol !== url.protocol)
        throw new Error(`it redirects to ${next.protocol}`);
      url = next;
    }
  }

  async #receive(response: HttpResponse, resumed: PartialDownload | undefined): Promise<Attempt> {
    const { cache, clock } = this.#context;
    const { id, extension, maxBytes } = this.#feed;
    const { headers } = response;
    const start = response.status === 206 ? rangeStart(headers['content-range']) : 0;
    if (start === undefined || (start > 0 && start !== resumed?.bytes)) {
      response.body.destroy();
      await cache.dropPartial(id);
      return { again: 'it sent another part than asked for', afterMs: 0 };
    }
    const length = Number(headers['content-length'] ?? Number.NaN);
    const path = await cache.partialFile(id);
    const etag = headers.etag ?? null;
    const lastModified = headers['last-modified'] ?? null;
    const validator = etag !== null && !etag.startsWith('W/') ? etag : lastModified;
    if (start === 0) await cache.startPartial(id, this.#url.href, validator);
    const size = start + length > maxBytes ? undefined : await writeBody(response, path, start, maxBytes);
    if (size === undefined) {
      response.body.destroy();
      await cache.dropPartial(id);
      return { reason: `it is larger than ${maxBytes} bytes`, unreachable: false };
    }
    if (size < start + length) return { again: 'it was cut short', afterMs: 250 };
    const problem = await contentProblem(path, extension);
    if (problem !== undefined) {
      await cache.dropPartial(id);
      return { reason: `it sent something else: ${problem}`, unreachable: false };
    }
    const checkedAt = clock.now();
    const entry = { url: this.#url.href, etag, lastModified, extension, checkedAt };
    const stored = await cache.put(id, path, entry);
    await cache.dropPartial(id);
    return { kind: 'downloaded', path: stored, checkedAt };
  }

  #retryAfter({ headers }: HttpResponse): number {
    const value = headers['retry-after'] ?? '';
    if (/^\d{1,6}$/.test(value)) return Number(value) * 1_000;
    const date = Date.parse(value);
    return Number.isNaN(date) ? 1_000 : Math.max(0, date - this.#context.clock.now());
  }
}

/** Writes a body from `start` on. Returns the size of the file, or undefined once it passes `maxBytes`. */
async function writeBody(
  { body }: HttpResponse,
  path: string,
  start: number,
  maxBytes: number,
): Promise<number | undefined> {
  const file = await open(path, start === 0 ? 'w' : 'r+');
  let size = start;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (size + chunk.length > maxBytes) return undefined;
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, at, chunk.length - at, size + at);
        at += bytesWritten;
      }
      size += chunk.length;
    }
    await file.truncate(size);
    return size;
  } finally {
    await file.close();
  }
}

function rangeStart(contentRange: string | undefined): number | undefined {
  const start = /^bytes (\d{1,15})-/.exec(contentRange ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}
