// A server whose advisory file is replaced: only the images that the change concerns change, events say which, no layer is read.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildAdvisoryFile } from '../src/advisories/index.ts';
import { systemClock } from '../src/core/index.ts';
import { openTestPlace, type TestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually, startTestServer, type TestServer } from './fixtures/server.ts';
import { pushSmallImage, smallImage, type SmallImage } from './fixtures/small-image.ts';

const IMAGES = 50;
/** New records; every third one is about a package that is in an image. */
const NEW_RECORDS = 45;

const imageShape = z.object({
  digest: z.string(),
  scan: z.object({
    status: z.string(),
    finishedAt: z.string().nullable(),
    advisories: z.object({ digest: z.string() }).nullable(),
    counts: z.record(z.string(), z.number()).nullable(),
  }),
  freshness: z.object({
    reasons: z.array(z.string()),
    matchedAt: z.string().nullable(),
    advisories: z.string().nullable(),
    current: z.boolean(),
  }),
});
const pageShape = z.object({ images: z.array(imageShape), nextCursor: z.string().nullable() });
const findingsShape = z.object({
  findings: z.array(z.object({ image: z.string(), id: z.string(), package: z.string(), state: z.string() })),
});
const eventShape = z.object({
  digest: z.string(),
  repositories: z.array(z.string()),
  findings: z.array(z.object({ id: z.string(), package: z.string(), reason: z.string().exactOptional() })),
});
type ListedImage = z.infer<typeof imageShape>;

let place: TestPlace;
let server: TestServer;
let folder: string;
let path: string;
let images: readonly SmallImage[];
const stopEvents = new AbortController();
const told: { readonly name: string; readonly event: z.infer<typeof eventShape> }[] = [];

const packageName = (index: number): string => `generated-package-${index}`;
const record = (id: number, name: string) => ({
  schema_version: '1.6.0',
  id: `GHSA-${id}`,
  modified: '2026-01-01T00:00:00Z',
  database_specific: { severity: 'HIGH' },
  affected: [
    {
      package: { ecosystem: 'npm', name },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }],
    },
  ],
});

/** Builds the file aside and moves it to its place, as `advisories update` does. */
async function publish(records: readonly unknown[]): Promise<void> {
  const source = join(folder, 'records.ndjson');
  writeFileSync(source, records.map((one) => `${JSON.stringify(one)}\n`).join(''));
  await buildAdvisoryFile([source], join(folder, 'next'), { clock: systemClock });
  renameSync(join(folder, 'next'), path);
}

async function listImages(): Promise<ReadonlyMap<string, ListedImage>> {
  const all = new Map<string, ListedImage>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = pageShape.parse(
      await server.json(`/api/v1/images?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`),
    );
    for (const image of page.images) all.set(image.digest, image);
    cursor = page.nextCursor;
  }
  return all;
}

/** Reads of manifests and blobs that the registry has answered so far, from its metrics. */
async function registryReads(): Promise<number> {
  const text = await (await server.request('/metrics')).text();
  let reads = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('breakwater_registry_requests_total{') && line.includes('method="GET"'))
      reads += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return reads;
}

/** Follows the live stream of events until the test ends. */
async function follow(): Promise<void> {
  const response = await server.request('/api/v1/events/stream');
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  stopEvents.signal.addEventListener('abort', () => void reader?.cancel().catch(() => undefined));
  void (async () => {
    let text = '';
    for (;;) {
      const chunk = await reader?.read().catch(() => undefined);
      if (chunk === undefined || chunk.done) return;
      text += decoder.decode(chunk.value, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const name = /^event: (.*)$/m.exec(text.slice(0, end))?.[1] ?? '';
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (!name.startsWith('finding.') || data === undefined) continue;
        told.push({ name, event: eventShape.parse(JSON.parse(data)) });
      }
    }
  })();
}

beforeAll(async () => {
  place = await openTestPlace();
  folder = mkdtempSync(join(tmpdir(), 'breakwater-continuous-'));
  path = join(folder, 'advisories');
  await publish([record(1, 'in-no-image'), record(2, packageName(0))]);
  server = await startTestServer({
    data: place.options.dataDirectory,
    env: databaseOf(place),
    args: ['--advisories', path],
  });
  const { username, password } = server.credential;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  images = Array.from({ length: IMAGES }, (_, index) => smallImage(packageName(index)));
  for (const [index, image] of images.entries()) {
    const to = { registry: server.registry, authorization, repository: `generated/${index}`, tag: '1' };
    await pushSmallImage(image, to);
  }
  await eventually(
    listImages,
    (all) => all.size === IMAGES && [...all.values()].every((image) => image.scan.status === 'finished'),
    150_000,
    'scanning all images',
  );
  await follow();
});

afterAll(async () => {
  stopEvents.abort();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
  await place?.remove();
});

describe('a replaced advisory file', () => {
  it('changes only the images that it concerns, tells which, and reads no layer', async () => {
    const before = await listImages();
    const reads = await registryReads();
    expect(reads).toBeGreaterThanOrEqual(IMAGES);
    expect([...before.values()].every(({ freshness }) => freshness.current)).toBe(true);
    const added = Array.from({ length: NEW_RECORDS }, (_, index) =>
      record(100 + index, index % 3 === 0 ? packageName(index + 1) : `not-in-any-image-${index}`),
    );
    const affected = new Set(
      images
        .filter((_, index) => index > 0 && index <= NEW_RECORDS && (index - 1) % 3 === 0)
        .map((image) => image.digest),
    );
    await publish([record(1, 'in-no-image'), ...added]);
    const reloaded = await server.request('/api/v1/advisories/reload', { method: 'POST' });
    expect(reloaded.status).toBe(200);
    const { digest } = z
      .object({ digest: z.string(), changed: z.literal(true) })
      .parse(await reloaded.json());

    const after = await eventually(
      listImages,
      (all) =>
        [...all.values()].every(({ freshness }) => freshness.current && freshness.advisories === digest),
      60_000,
      'matching all images with the new file',
    );
    const open = findingsShape.parse(await server.json('/api/v1/findings?limit=500')).findings;
    expect(new Set(open.map((finding) => finding.image))).toEqual(affected);
    expect(open).toHaveLength(affected.size);
    for (const [image, now] of after) {
      const was = before.get(image);
      // Nothing was scanned again.
      expect(now.scan.finishedAt).toBe(was?.scan.finishedAt);
      expect(now.scan.advisories?.digest).toBe(digest);
      const counted = was?.scan.counts ?? {};
      const high = affected.has(image) ? 1 : 0;
      expect(now.scan.counts).toEqual({ ...counted, high });
      expect(now.freshness.reasons).toContain('push');
    }
    await eventually(
      () => Promise.resolve(told.length),
      (count) => count >= affected.size + 1,
      10_000,
      'telling of all changes',
    );
    const opened = told.filter(({ name }) => name === 'finding.opened').map(({ event }) => event);
    expect(new Set(opened.map((event) => event.digest))).toEqual(affected);
    expect(opened).toHaveLength(affected.size);
    for (const { digest: image, repositories, findings } of opened) {
      const index = images.findIndex((one) => one.digest === image);
      expect(repositories).toEqual([`generated/${index}`]);
      expect(findings).toMatchObject([{ id: `GHSA-${99 + index}`, package: packageName(index) }]);
    }
    const closed = told.filter(({ name }) => name === 'finding.closed').map(({ event }) => event);
    expect(closed).toMatchObject([
      { digest: images[0]?.digest, findings: [{ id: 'GHSA-2', reason: 'withdrawn' }] },
    ]);
    expect(await registryReads()).toBe(reads);
  });

  it('is noticed without being told, and after the server was killed while it was replaced', async () => {
    await publish([record(1, 'in-no-image'), record(2, packageName(5))]);
    const openImages = async (): Promise<readonly string[]> =>
      findingsShape
        .parse(await server.json('/api/v1/findings?limit=500'))
        .findings.map((finding) => finding.image);
    const only =
      (index: number) =>
      (open: readonly string[]): boolean =>
        open.length === 1 && open[0] === images[index]?.digest;
    await eventually(openImages, only(5), 30_000, 'noticing the file');
    const { credential } = server;
    stopEvents.abort();
    await server.kill();
    await publish([record(1, 'in-no-image'), record(2, packageName(6))]);
    server = await startTestServer({
      data: place.options.dataDirectory,
      credential,
      env: databaseOf(place),
      args: ['--advisories', path],
    });
    await eventually(openImages, only(6), 30_000, 'matching after a restart');
  });
});
