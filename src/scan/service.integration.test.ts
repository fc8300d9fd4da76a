// The whole service on a real store: push to findings, rescans, indexes, duplicates, failures, deletes, the REST routes.
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BreakwaterError,
  createMetrics,
  EventBus,
  SCAN_IMAGE_JOB,
  silentLogger,
  systemClock,
  systemRandomness,
  type ImageDirectory,
  type ScanFinished,
  type StoredImage,
} from '../core/index.ts';
import { openStore, type Store } from '../store/index.ts';
import { openTestPlace, type TestPlace } from '../store/testing.ts';
import { scanRoutes } from './routes.ts';
import { createScanService, type ScanService } from './service.ts';
import {
  affects,
  buildAdvisories,
  imageOf,
  indexOf,
  serveImages,
  type TarEntry,
  type TestAdvisoryFile,
  type TestImage,
  type TestRegistry,
} from './testing.ts';

/** Which images are stored, as the registry would answer it. */
class Shelf implements ImageDirectory {
  readonly stored = new Map<string, StoredImage>();

  put(image: TestImage, more: Partial<StoredImage> = {}): void {
    const location = {
      tags: ['1'],
      pushedAt: '2026-01-01T00:00:00Z',
      pushedBy: 'admin',
      lastPulledAt: null,
      pulls: 0,
    };
    this.stored.set(image.digest, {
      digest: image.digest,
      mediaType: image.mediaType,
      kind: 'image',
      size: 1,
      artifactType: null,
      locations: [{ repository: 'team/app', ...location }],
      children: [],
      ...more,
    });
  }

  list(): ReturnType<ImageDirectory['list']> {
    return Promise.resolve({ images: [...this.stored.values()].toReversed(), nextCursor: null });
  }

  find(digest: string): Promise<StoredImage | undefined> {
    return Promise.resolve(this.stored.get(digest));
  }

  findMany(digests: readonly string[]): Promise<readonly StoredImage[]> {
    return Promise.resolve(digests.flatMap((digest) => this.stored.get(digest) ?? []));
  }

  resolve(reference: string): Promise<string | undefined> {
    return Promise.resolve(reference.split('@')[1]);
  }
}

let place: TestPlace;
let store: Store;
let registry: TestRegistry;
let first: TestAdvisoryFile;
let service: ScanService;
let app: FastifyInstance;
const shelf = new Shelf();
const events = new EventBus(silentLogger());
const ended: ScanFinished[] = [];
const pulledWith: string[] = [];

beforeAll(async () => {
  place = await openTestPlace();
  store = await openStore({
    ...place.options,
    logger: silentLogger(),
    clock: systemClock,
    randomness: systemRandomness,
  });
  registry = await serveImages();
  first = await buildAdvisories([
    {
      id: 'GHSA-35jh-r3h4-6jhm',
      aliases: ['CVE-2021-23337'],
      database_specific: { severity: 'HIGH' },
      affected: [affects('npm', 'lodash', '4.17.21')],
    },
    {
      id: 'GHSA-vh95-rmgr-6w4m',
      aliases: ['CVE-2020-7598'],
      database_specific: { severity: 'MODERATE' },
      affected: [affects('npm', 'minimist', '1.2.3')],
    },
  ]);
  service = createScanService({
    store,
    directory: shelf,
    events,
    logger: silentLogger(),
    metrics: createMetrics(),
    clock: systemClock,
    registryAccess: (repository) => {
      pulledWith.push(repository);
      return Promise.resolve({ registry: registry.address, plainHttp: true, token: 'token' });
    },
    advisoriesPath: first.path,
    concurrency: 2,
  });
  events.subscribe('scan.finished', (event) => void ended.push(event));
  await service.start();
  app = fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, _request, reply) =>
    reply
      .status(error instanceof BreakwaterError ? error.status : 400)
      .send({ code: error instanceof BreakwaterError ? error.code : 'OTHER', message: String(error) }),
  );
  await app.register(scanRoutes, { db: store.db, directory: shelf, service });
}, 180_000);

afterAll(async () => {
  await app?.close();
  await service?.stop();
  await store?.jobs.stop(5_000);
  await store?.close();
  await registry?.close();
  first?.remove();
  await place?.remove();
});

function npm(name: string, version: string): TarEntry {
  return { path: `app/node_modules/${name}/package.json`, content: JSON.stringify({ name, version }) };
}

/** An image nobody has scanned before. */
function freshImage(...entries: TarEntry[]): TestImage {
  return imageOf([[...entries, { path: 'unique', content: randomBytes(8).toString('hex') }]]);
}

async function push(image: TestImage, more: Partial<StoredImage> = {}): Promise<void> {
  registry.add(image);
  shelf.put(image, more);
  const repository = shelf.stored.get(image.digest)?.locations[0]?.repository ?? 'team/app';
  const payload = { repository, digest: image.digest, trigger: 'push' };
  await store.jobs.enqueue(SCAN_IMAGE_JOB, payload, { key: image.digest });
  store.jobs.wake(SCAN_IMAGE_JOB);
}

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await app.inject({ url: path });
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

async function until<T>(read: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const limit = Date.now() + 45_000;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > limit) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function scanned(digest: string, count = 1): Promise<ScanFinished> {
  return until(() => ended.filter((event) => event.digest === digest)[count - 1], `the scan of ${digest}`);
}

describe('the scan service', () => {
  it('turns a push into packages and findings, and tells', async () => {
    const image = freshImage(npm('lodash', '4.17.15'), npm('minimist', '1.2.0'), npm('clean', '1.0.0'));
    registry.add(image);
    shelf.put(image);
    const waiting = await get(`/images/${image.digest}`);
    expect(waiting).toMatchObject({
      scan: { status: 'pending', counts: null, packageCount: null },
      findings: [],
    });
    await push(image);
    expect(await scanned(image.digest)).toMatchObject({
      status: 'finished',
      repositories: ['team/app'],
      counts: { critical: 0, high: 1, medium: 1, low: 0, informational: 0, unknown: 0 },
      advisories: first.advisories.info.digest,
    });
    expect(await get(`/images/${image.digest}`)).toMatchObject({
      platform: 'linux/amd64',
      scan: { status: 'finished', packageCount: 3, error: null, advisories: { kind: 'file' } },
      packages: [
        { name: 'clean', purl: 'pkg:npm/clean@1.0.0', layer: 0 },
        { name: 'lodash', version: '4.17.15' },
        { name: 'minimist' },
      ],
      findings: [
        {
          id: 'CVE-2021-23337',
          aliases: ['GHSA-35jh-r3h4-6jhm'],
          installed: '4.17.15',
          fixed: '4.17.21',
          severity: 'high',
          layer: 0,
          layerDigest: image.layers[0],
          state: 'open',
        },
        { id: 'CVE-2020-7598', severity: 'medium' },
      ],
      layers: [{ digest: image.layers[0] }],
      children: [],
      truncated: false,
    });
  });

  it('filters and pages findings and packages', async () => {
    const image = freshImage(npm('lodash', '4.17.1'), npm('minimist', '1.2.1'));
    await push(image);
    await scanned(image.digest);
    const ids = async (query: string): Promise<unknown> => {
      const { findings } = await get(`/findings?image=${image.digest}&${query}`);
      return Array.isArray(findings) ? findings.map((finding: { id: string }) => finding.id) : undefined;
    };
    expect(await ids('')).toEqual(['CVE-2021-23337', 'CVE-2020-7598']);
    expect(await ids('severity=medium,low')).toEqual(['CVE-2020-7598']);
    expect(await ids('id=GHSA-35jh-r3h4-6jhm')).toEqual(['CVE-2021-23337']);
    expect(await ids('package=minimist&fixable=true')).toEqual(['CVE-2020-7598']);
    expect(await ids('fixable=false')).toEqual([]);
    expect(await ids('state=fixed')).toEqual([]);
    const page = await get(`/images/${image.digest}/findings?limit=1`);
    expect(page['findings']).toMatchObject([{ id: 'CVE-2021-23337' }]);
    const rest = await get(`/images/${image.digest}/findings?limit=1&cursor=${String(page['nextCursor'])}`);
    expect(rest).toMatchObject({ findings: [{ id: 'CVE-2020-7598' }], nextCursor: null });
    const packages = await get(`/images/${image.digest}/packages?limit=1`);
    expect(
      await get(`/images/${image.digest}/packages?cursor=${String(packages['nextCursor'])}`),
    ).toMatchObject({
      packages: [{ name: 'minimist' }],
      nextCursor: null,
    });
    const bad = await app.inject({ url: '/findings?cursor=nonsense' });
    expect([bad.statusCode, bad.json().code]).toEqual([400, 'SCAN_CURSOR_INVALID']);
    expect((await app.inject({ url: '/findings?severity=dreadful' })).statusCode).toBe(400);
    expect((await app.inject({ url: `/images/sha256:${'0'.repeat(64)}` })).json().code).toBe(
      'SCAN_IMAGE_UNKNOWN',
    );
  });

  it('scans the same digest once, however many repositories hold it', async () => {
    const image = freshImage(npm('lodash', '4.17.2'));
    await push(image);
    await scanned(image.digest);
    const before = pulledWith.length;
    await push(image);
    await scanned(image.digest, 2);
    expect(pulledWith.length).toBe(before);
  });

  it('scans again on demand: findings that have gone become fixed, new ones open, in place', async () => {
    const image = freshImage(npm('lodash', '4.17.3'), npm('minimist', '1.2.0'));
    await push(image);
    await scanned(image.digest);
    const before = await get(`/findings?image=${image.digest}`);
    const later = await buildAdvisories([
      {
        id: 'GHSA-vh95-rmgr-6w4m',
        aliases: ['CVE-2020-7598'],
        affected: [affects('npm', 'minimist', '1.2.4')],
      },
      { id: 'GHSA-new1-new1-new1', aliases: ['CVE-2026-1000'], affected: [affects('npm', 'lodash', null)] },
    ]);
    try {
      cpSync(later.path, first.path);
      const response = await app.inject({ method: 'POST', url: `/images/${image.digest}/scan` });
      expect(response.statusCode).toBe(202);
      expect(response.json().jobId).toEqual(expect.any(String));
      expect(await scanned(image.digest, 2)).toMatchObject({ advisories: later.advisories.info.digest });
    } finally {
      later.remove();
    }
    const all = await get(`/findings?image=${image.digest}&state=all`);
    const states = (
      all['findings'] as { id: string; state: string; fixed: string | null; firstSeen: string }[]
    )
      .map(({ id, state, fixed }) => [id, state, fixed])
      .toSorted();
    expect(states).toEqual([
      ['CVE-2020-7598', 'open', '1.2.4'],
      ['CVE-2021-23337', 'fixed', '4.17.21'],
      ['CVE-2026-1000', 'open', null],
    ]);
    const seen = (body: Record<string, unknown>): unknown =>
      (body['findings'] as { id: string; firstSeen: string }[]).find((entry) => entry.id === 'CVE-2020-7598')
        ?.firstSeen;
    expect(seen(all)).toBe(seen(before));
    expect(await get(`/images/${image.digest}/scan`)).toMatchObject({
      status: 'finished',
      trigger: 'on-demand',
      packageCount: 2,
      counts: { unknown: 2, high: 0 },
    });
  });

  it('scans the images of an index, each once, and tells when all of them are done', async () => {
    const amd = freshImage(npm('lodash', '4.17.4'));
    const arm = imageOf(
      [[npm('minimist', '1.2.0'), { path: 'u', content: randomBytes(8).toString('hex') }]],
      {
        platform: { os: 'linux', architecture: 'arm64' },
      },
    );
    const index = indexOf([
      { image: amd, os: 'linux', architecture: 'amd64' },
      { image: arm, os: 'linux', architecture: 'arm64' },
    ]);
    await push(amd);
    await scanned(amd.digest);
    registry.add(arm);
    shelf.put(arm);
    const children = [
      { digest: amd.digest, platform: 'linux/amd64', present: true },
      { digest: arm.digest, platform: 'linux/arm64', present: true },
      { digest: `sha256:${'9'.repeat(64)}`, platform: 'linux/s390x', present: false },
    ];
    await push(index, { kind: 'index', children });
    expect(await scanned(index.digest)).toMatchObject({ status: 'finished' });
    expect(ended.filter((event) => event.digest === amd.digest)).toHaveLength(1);
    expect(ended.filter((event) => event.digest === arm.digest)).toHaveLength(1);
    expect(await get(`/images/${index.digest}`)).toMatchObject({
      kind: 'index',
      scan: { status: 'finished', packageCount: 2 },
      children: [
        { platform: 'linux/amd64', scan: { status: 'finished' } },
        { platform: 'linux/arm64', scan: { status: 'finished' } },
        { present: false, scan: null },
      ],
    });
    expect((await app.inject({ method: 'POST', url: `/images/${index.digest}/scan` })).statusCode).toBe(202);
    await scanned(amd.digest, 2);
    await scanned(arm.digest, 2);
    expect(await get(`/images/${index.digest}/scan`)).toMatchObject({
      status: 'finished',
      trigger: 'on-demand',
    });
  });

  it('calls artifacts unscannable, and fails what is not what its digest says', async () => {
    const artifact = freshImage();
    await push(artifact, { kind: 'artifact', artifactType: 'application/example' });
    expect(await scanned(artifact.digest)).toMatchObject({ status: 'unscannable' });
    const status = await get(`/images/${artifact.digest}/scan`);
    expect(status).toMatchObject({ status: 'unscannable', counts: null, packageCount: null });
    expect(status['reason']).toContain('application/example');

    const forged = freshImage(npm('lodash', '4.17.5'));
    const [layer = ''] = forged.layers;
    const bytes = Buffer.from(forged.content.get(layer) ?? '');
    bytes.writeUInt8(bytes.readUInt8(9) ^ 0xff, 9);
    forged.content.set(layer, bytes);
    await push(forged);
    expect(await scanned(forged.digest)).toMatchObject({ status: 'failed' });
    expect(await get(`/images/${forged.digest}/scan`)).toMatchObject({
      status: 'failed',
      error: { code: 'OCI_DIGEST_MISMATCH' },
      counts: null,
    });
  });

  it('tries again after a failure that may pass', async () => {
    const image = freshImage(npm('lodash', '4.17.6'));
    const { content } = image;
    await push({ ...image, content: new Map() });
    await until(async () => {
      const { status, error } = (await service.status(image.digest)) ?? { status: 'pending', error: null };
      return status === 'pending' && error?.code === 'OCI_NOT_FOUND' ? true : undefined;
    }, 'the first failure');
    registry.add({ ...image, content });
    expect(await scanned(image.digest)).toMatchObject({ status: 'finished' });
    expect(await get(`/images/${image.digest}/scan`)).toMatchObject({ status: 'finished', error: null });
  });

  it('forgets an image that is deleted, and ends the job of one that has gone', async () => {
    const image = freshImage(npm('lodash', '4.17.7'));
    await push(image);
    await scanned(image.digest);
    shelf.stored.delete(image.digest);
    const at = new Date().toISOString();
    events.publish('image.deleted', {
      repository: 'team/app',
      tag: null,
      digest: image.digest,
      actor: 'admin',
      at,
    });
    await until(async () => {
      const { findings } = await get(`/findings?image=${image.digest}&state=all`);
      return Array.isArray(findings) && findings.length === 0 ? true : undefined;
    }, 'the findings to go');
    const payload = { repository: 'team/app', digest: image.digest, trigger: 'push' };
    const id = await store.jobs.enqueue(SCAN_IMAGE_JOB, payload, { key: image.digest });
    store.jobs.wake(SCAN_IMAGE_JOB);
    const job = await until(async () => {
      const found = await store.jobs.get(id ?? '');
      return found?.state === 'completed' ? found : undefined;
    }, 'the job to end');
    expect(job.error).toBeNull();
  });

  it('does not take a request for an image that is not stored', async () => {
    const unknown = `sha256:${'0'.repeat(64)}`;
    expect(await service.request(unknown)).toBe('notFound');
    const response = await app.inject({ method: 'POST', url: `/images/${unknown}/scan` });
    expect([response.statusCode, response.json().code]).toEqual([404, 'SCAN_IMAGE_UNKNOWN']);
  });

  it('lists images with their status', async () => {
    const { images } = await get('/images');
    expect(Array.isArray(images) && images.length).toBeGreaterThan(5);
    const one = [...shelf.stored.keys()][0] ?? '';
    expect(await get(`/images?reference=team/app@${one}`)).toMatchObject({ images: [{ digest: one }] });
    expect(await get('/images?reference=nothing')).toEqual({ images: [], nextCursor: null });
  });
});
