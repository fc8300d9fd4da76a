// Downloads from a loopback server that tags, cuts, throttles, lies and redirects.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { osvExport, osvRecord, zip } from '../testing.ts';
import { DownloadCache } from './download-cache.ts';
import { downloadFeed, type DownloadContext } from './download.ts';
import type { Feed } from './feeds.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let server: Server;
let base: URL;
let handler: Handler;
let requests: IncomingMessage[];
let now: number;
let pauses: number[];
let context: DownloadContext;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-download-'));
  requests = [];
  pauses = [];
  now = Date.parse('2026-11-24T00:00:00Z');
  server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  context = {
    cache: new DownloadCache(folder),
    clock: { now: () => now },
    pause: async (milliseconds) => pauses.push(milliseconds),
  };
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const feed = (...urls: readonly (string | URL)[]): Feed => ({
  id: 'npm',
  urls: (urls.length === 0 ? ['npm/all.zip'] : urls).map((url) => new URL(url, base)),
  extension: '.zip',
  maxBytes: 4 << 20,
});
const whole = osvExport(osvRecord('A-1', 'left', '1.0'), osvRecord('A-2', 'right', '2.0'));
const large = zip({ 'noise.json': randomBytes(1 << 20).toString('hex') }, 0);

/** Serves bytes under an entity tag, honouring If-None-Match, Range and If-Range. */
function serve(bytes: Buffer, etag: string, cutAt?: number): Handler {
  return (request, response) => {
    const { headers } = request;
    if (headers['if-none-match'] === etag) return void response.writeHead(304).end();
    const from =
      headers['if-range'] === etag ? Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    const part = bytes.subarray(from);
    const range = from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': part.length, ...range });
    if (cutAt === undefined || from > 0) response.end(part);
    else response.write(part.subarray(0, cutAt), () => response.destroy());
  };
}

const contentOf = (outcome: Awaited<ReturnType<typeof downloadFeed>>): Buffer =>
  'path' in outcome ? readFileSync(outcome.path) : Buffer.alloc(0);

describe('downloadFeed', () => {
  it('asks whether there is something new and keeps what it has when there is not', async () => {
    handler = serve(whole, '"one"');
    expect(await downloadFeed(feed(), context)).toMatchObject({ kind: 'downloaded', checkedAt: now });
    now += 3_600_000;
    const again = await downloadFeed(feed(), context);
    expect(again).toMatchObject({ kind: 'unchanged', checkedAt: now });
    expect(contentOf(again).equals(whole)).toBe(true);
    expect(requests[1]?.headers['if-none-match']).toBe('"one"');
    handler = serve(large, '"two"');
    expect(contentOf(await downloadFeed(feed(), context)).equals(large)).toBe(true);
  });

  it('takes up a download that broke off where it broke off', async () => {
    handler = serve(large, '"big"', 300_000);
    const outcome = await downloadFeed(feed(), context);
    expect(outcome.kind).toBe('downloaded');
    expect(contentOf(outcome).equals(large)).toBe(true);
    expect(requests).toHaveLength(2);
    expect(requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(requests[1]?.headers['if-range']).toBe('"big"');
  });

  it('starts again when the file changed in between', async () => {
    handler = (request, response) =>
      requests.length === 1
        ? serve(large, '"big"', 300_000)(request, response)
        : serve(whole, '"new"')(request, response);
    expect(contentOf(await downloadFeed(feed(), context)).equals(whole)).toBe(true);
  });

  it('resumes in a later run', async () => {
    handler = (request, response) =>
      requests.length === 1
        ? serve(large, '"big"', 300_000)(request, response)
        : void response.writeHead(404).end();
    expect(await downloadFeed(feed(), context)).toMatchObject({ kind: 'missing' });
    handler = serve(large, '"big"');
    expect(contentOf(await downloadFeed(feed(), context)).equals(large)).toBe(true);
    expect(requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it.each([429, 503])('waits as long as status %d asks for, then uses the copy', async (status) => {
    handler = serve(whole, '"one"');
    await downloadFeed(feed(), context);
    const before = now;
    now += 1_000;
    handler = (_request, response) => void response.writeHead(status, { 'retry-after': '7' }).end();
    const outcome = await downloadFeed(feed(), context);
    expect(outcome).toMatchObject({
      kind: 'cached',
      checkedAt: before,
      problem: { reason: expect.stringContaining(`throttled (status ${status})`), unreachable: false },
    });
    expect(contentOf(outcome).equals(whole)).toBe(true);
    expect(pauses).toEqual([7_000, 7_000, 7_000]);
  });

  it('does not wait for an hour', async () => {
    handler = (_request, response) => void response.writeHead(429, { 'retry-after': '3600' }).end();
    expect(await downloadFeed(feed(), context)).toMatchObject({ kind: 'missing' });
    expect(pauses).toEqual([]);
  });

  it('goes to the next mirror', async () => {
    handler = (request, response) =>
      request.url === '/second/all.zip'
        ? serve(whole, '"m"')(request, response)
        : void response.writeHead(404).end();
    const outcome = await downloadFeed(feed('first/all.zip', 'second/all.zip'), context);
    expect(contentOf(outcome).equals(whole)).toBe(true);
  });

  it.each([
    ['an HTML page', Buffer.from('<html>log in to the guest network</html>')],
    ['a cut archive', whole.subarray(0, whole.length - 30)],
    ['nothing', Buffer.alloc(0)],
  ])('does not take %s for a feed', async (_what, bytes) => {
    handler = serve(bytes, '"bad"');
    expect(await downloadFeed(feed(), context)).toMatchObject({
      kind: 'missing',
      problem: { reason: expect.stringContaining('it sent something else') },
    });
  });

  it('checks gzip to its end', async () => {
    const bytes = gzipSync(randomBytes(100_000));
    handler = serve(bytes.subarray(0, 50_000), '"cut"');
    const epss = { ...feed('epss.csv.gz'), extension: '.csv.gz' };
    expect(await downloadFeed(epss, context)).toMatchObject({ kind: 'missing' });
    handler = serve(bytes, '"all"');
    expect(await downloadFeed(epss, context)).toMatchObject({ kind: 'downloaded' });
  });

  it.each([true, false])('stops at the size limit (announced: %s)', async (announced) => {
    const limited = { ...feed(), maxBytes: 100_000 };
    handler = (_request, response) => {
      if (announced) response.writeHead(200, { 'content-length': large.length });
      response.end(large);
    };
    expect(await downloadFeed(limited, context)).toMatchObject({
      kind: 'missing',
      problem: { reason: expect.stringContaining('larger than 100000 bytes') },
    });
  });

  it('follows redirects, but not round and round', async () => {
    handler = (request, response) =>
      request.url === '/npm/all.zip'
        ? void response.writeHead(302, { location: '/elsewhere' }).end()
        : serve(whole, '"r"')(request, response);
    expect(await downloadFeed(feed(), context)).toMatchObject({ kind: 'downloaded' });
    handler = (_request, response) => void response.writeHead(302, { location: '/npm/all.zip' }).end();
    expect(await downloadFeed({ ...feed(), id: 'loop' }, context)).toMatchObject({
      kind: 'missing',
      problem: { reason: expect.stringContaining('too many redirects') },
    });
  });

  it('notices a stored copy that was damaged and downloads it again', async () => {
    handler = serve(whole, '"one"');
    const first = await downloadFeed(feed(), context);
    if ('path' in first) writeFileSync(first.path, Buffer.alloc(whole.length));
    expect(contentOf(await downloadFeed(feed(), context)).equals(whole)).toBe(true);
    expect(requests.at(-1)?.headers['if-none-match']).toBeUndefined();
  });

  it('tells that no host answers from a host that refuses', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await downloadFeed(feed(), context)).toMatchObject({
      kind: 'missing',
      problem: { unreachable: true },
    });
  });
});
