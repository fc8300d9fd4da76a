// Pushes, pulls, caches, pull counts, jobs, audit and the image directory, over real HTTP on a real store.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCAN_IMAGE_JOB, createMetrics, silentLogger, systemClock, systemRandomness } from '../core/index.ts';
import type { ImageDeleted, ImagePushed } from '../core/index.ts';
import { createRegistry } from './registry.ts';
import {
  OCI_INDEX,
  OCI_MANIFEST,
  eventually,
  openTestRegistry,
  pushBlob,
  pushImage,
  putManifest,
  sha256,
} from './testing.ts';
import type { TestRegistry } from './testing.ts';

let test: TestRegistry;

beforeAll(async () => {
  test = await openTestRegistry();
});

afterAll(async () => {
  await test?.close();
});

describe('a push', () => {
  it('stores manifest, tag, scan job, audit record, and tells of it', async () => {
    const events: ImagePushed[] = [];
    const stop = test.events.subscribe('image.pushed', (event) => void events.push(event));
    const image = await pushImage(test, 'push/app', 'v1');
    await eventually(async () => events.length > 0);
    stop();
    expect(events).toMatchObject([
      { repository: 'push/app', tag: 'v1', digest: image.digest, mediaType: OCI_MANIFEST, actor: 'admin' },
    ]);
    const { jobs } = await test.store.jobs.list({ queue: SCAN_IMAGE_JOB, limit: 100 });
    expect(jobs.map((job) => job.payload)).toContainEqual({
      repository: 'push/app',
      digest: image.digest,
      trigger: 'push',
    });
    const { records } = await test.store.audit.list({ action: 'manifest.push', limit: 100 });
    const record = records.find((entry) => entry.target === 'push/app:v1');
    expect(record).toMatchObject({ actor: 'admin', result: 'success', address: '127.0.0.1' });
    expect(record?.detail).toMatchObject({ digest: image.digest, new: true });
  });

  it('asks for no scan of artifacts, nor when nothing changed', async () => {
    const image = await pushImage(test, 'push/again', 'v1');
    const jobsOf = async (digest: string): Promise<number> =>
      (await test.store.jobs.list({ queue: SCAN_IMAGE_JOB, limit: 100 })).jobs.filter(
        (job) => job.payload['digest'] === digest,
      ).length;
    const before = await jobsOf(image.digest);
    await putManifest(test, 'push/again', 'v1', image.manifest);
    expect(await jobsOf(image.digest)).toBe(before);
    const empty = await pushBlob(test, 'push/again', Buffer.from('{}'));
    const artifact = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        artifactType: 'application/vnd.example.sbom',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 },
        layers: [],
        subject: { mediaType: OCI_MANIFEST, digest: image.digest, size: image.manifest.length },
      }),
    );
    const reply = await putManifest(test, 'push/again', sha256(artifact), artifact);
    expect(reply.headers['oci-subject']).toBe(image.digest);
    expect(await jobsOf(sha256(artifact))).toBe(0);
  });

  it('names each blob that is missing and keeps nothing', async () => {
    const config = await pushBlob(test, 'push/missing');
    const absent = [sha256('one'), sha256('two')];
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 1_000 },
        layers: absent.map((digest) => ({
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest,
          size: 3,
        })),
      }),
    );
    const reply = await test.send('PUT', '/v2/push/missing/manifests/v1', {
      body: manifest,
      headers: { 'content-type': OCI_MANIFEST },
    });
    expect(reply.status).toBe(404);
    expect(reply.json()).toMatchObject({
      errors: absent.map((digest) => ({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest } })),
    });
    expect((await test.send('GET', '/v2/push/missing/manifests/v1')).status).toBe(404);
  });

  it('may leave out layers that are not meant to be pushed, and children of an index', async () => {
    const config = await pushBlob(test, 'push/foreign');
    const foreign = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 1_000 },
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
            digest: sha256('elsewhere'),
            size: 9,
            urls: ['https://example.org/layer'],
          },
        ],
      }),
    );
    await putManifest(test, 'push/foreign', 'v1', foreign);
    const sparse = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          {
            mediaType: OCI_MANIFEST,
            digest: sha256(foreign),
            size: foreign.length,
            platform: { os: 'linux', architecture: 'amd64' },
          },
          {
            mediaType: OCI_MANIFEST,
            digest: sha256('absent'),
            size: 10,
            platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
          },
        ],
      }),
    );
    await putManifest(test, 'push/foreign', 'all', sparse, OCI_INDEX);
    const stored = await test.registry.directory.find(sha256(sparse));
    expect(stored?.kind).toBe('index');
    expect(stored?.children).toEqual([
      { digest: sha256(foreign), platform: 'linux/amd64', present: true },
      { digest: sha256('absent'), platform: 'linux/arm64/v8', present: false },
    ]);
  });

  it('is refused with 413 when the manifest is too large, before and while it is sent', async () => {
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, 0x20);
    const headers = { 'content-type': OCI_MANIFEST };
    const announced = await test.send('PUT', '/v2/push/large/manifests/v1', { body: large, headers });
    expect(announced.status).toBe(413);
    const chunked = test.open('PUT', '/v2/push/large/manifests/v1', {
      ...headers,
      'transfer-encoding': 'chunked',
    });
    const status = new Promise<number | undefined>((resolve, reject) => {
      chunked.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      chunked.on('error', reject);
    });
    chunked.end(large);
    expect(await status).toBe(413);
  });

  it('sets several tags at once and honours conditions on what a tag stands for', async () => {
    const first = await pushImage(test, 'push/tags', 'a');
    const second = await pushImage(test, 'push/tags', 'b');
    const set = await test.send('PUT', `/v2/push/tags/manifests/${first.digest}?tag=x&tag=y`, {
      body: first.manifest,
      headers: { 'content-type': `${OCI_MANIFEST}; charset=utf-8` },
    });
    expect(set.status).toBe(201);
    const pulled = await test.send('GET', '/v2/push/tags/manifests/y');
    expect(pulled.headers['content-type']).toBe(OCI_MANIFEST);
    expect(pulled.body.equals(first.manifest)).toBe(true);
    const put = (condition: Record<string, string>): Promise<{ status: number }> =>
      test.send('PUT', '/v2/push/tags/manifests/x', {
        body: second.manifest,
        headers: { 'content-type': OCI_MANIFEST, ...condition },
      });
    expect((await put({ 'if-match': `"${second.digest}"` })).status).toBe(412);
    expect((await put({ 'if-none-match': '*' })).status).toBe(412);
    expect((await put({ 'if-match': `"${first.digest}"` })).status).toBe(201);
  });
});

describe('a pull', () => {
  it('sees a moved or deleted tag at once, however often it was read before', async () => {
    const first = await pushImage(test, 'pull/move', 'latest');
    for (let round = 0; round < 10; round++) {
      const next = await pushImage(test, 'pull/move', 'latest');
      const reply = await test.send('GET', '/v2/pull/move/manifests/latest');
      expect(reply.headers['docker-content-digest']).toBe(next.digest);
    }
    expect((await test.send('DELETE', '/v2/pull/move/manifests/latest')).status).toBe(202);
    expect((await test.send('HEAD', '/v2/pull/move/manifests/latest')).status).toBe(404);
    expect((await test.send('GET', `/v2/pull/move/manifests/${first.digest}`)).status).toBe(200);
    expect((await test.send('DELETE', `/v2/pull/move/manifests/${first.digest}`)).status).toBe(202);
    expect((await test.send('GET', `/v2/pull/move/manifests/${first.digest}`)).status).toBe(404);
    expect((await test.send('DELETE', `/v2/pull/move/manifests/${first.digest}`)).status).toBe(404);
  });

  it('of a tag pushed by many at once ends at the last one stored', async () => {
    const images = await Promise.all(
      Array.from({ length: 6 }, (_, index) => pushImage(test, 'pull/race', `t${index}`)),
    );
    for (let round = 0; round < 8; round++) {
      await Promise.all(
        images.flatMap((image) => [
          putManifest(test, 'pull/race', `shared${round % 4}`, image.manifest),
          test.send('GET', `/v2/pull/race/manifests/shared${round % 4}`),
        ]),
      );
      const served = (await test.send('GET', `/v2/pull/race/manifests/shared${round % 4}`)).headers[
        'docker-content-digest'
      ];
      expect(served).toBe(await test.registry.directory.resolve(`pull/race:shared${round % 4}`));
    }
  });

  it('serves ranges, conditions and mirrors', async () => {
    const bytes = randomBytes(300_000);
    const digest = await pushBlob(test, 'pull/blob', bytes);
    const path = `/v2/pull/blob/blobs/${digest}`;
    const whole = await test.send('GET', `${path}?ns=docker.io`);
    expect(whole.body.equals(bytes)).toBe(true);
    expect(whole.headers).toMatchObject({
      'content-length': '300000',
      'docker-content-digest': digest,
      'oci-namespace': 'docker.io',
      'accept-ranges': 'bytes',
    });
    const part = await test.send('GET', path, { headers: { range: 'bytes=1000-1999' } });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe('bytes 1000-1999/300000');
    expect(part.body.equals(bytes.subarray(1_000, 2_000))).toBe(true);
    const tail = await test.send('GET', path, { headers: { range: 'bytes=-5', 'if-range': `"${digest}"` } });
    expect(tail.body.equals(bytes.subarray(-5))).toBe(true);
    const changed = await test.send('GET', path, { headers: { range: 'bytes=-5', 'if-range': '"other"' } });
    expect(changed.status).toBe(200);
    const beyond = await test.send('GET', path, { headers: { range: 'bytes=300000-' } });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */300000']);
    const known = await test.send('GET', path, { headers: { 'if-none-match': `"${digest}"` } });
    expect([known.status, known.body.length]).toEqual([304, 0]);
    const empty = await pushBlob(test, 'pull/blob', Buffer.alloc(0));
    expect((await test.send('GET', `/v2/pull/blob/blobs/${empty}`)).headers['content-length']).toBe('0');
  });

  it('is counted once per subject and manifest, with an audit record, and not for HEAD or the scanner', async () => {
    const image = await pushImage(test, 'pull/count', 'v1');
    const system = await test.identity.issueSystemToken(
      'system:scanner',
      [{ type: 'repository', name: 'pull/count', actions: ['pull'] }],
      test.registry.service,
      60,
    );
    for (let count = 0; count < 5; count++) await test.send('GET', '/v2/pull/count/manifests/v1');
    await test.send('HEAD', '/v2/pull/count/manifests/v1');
    const scanner = await test.send('GET', '/v2/pull/count/manifests/v1', {
      authorization: `Bearer ${system}`,
    });
    expect(scanner.status).toBe(200);
    const location = await eventually(async () => {
      const stored = await test.registry.directory.find(image.digest);
      return stored?.locations[0]?.pulls ? stored.locations[0] : undefined;
    });
    expect(location).toMatchObject({ repository: 'pull/count', tags: ['v1'], pushedBy: 'admin', pulls: 5 });
    expect(location.lastPulledAt).not.toBeNull();
    const { records } = await test.store.audit.list({ action: 'manifest.pull', limit: 100 });
    const pulls = records.filter((record) => record.target === `pull/count@${image.digest}`);
    expect(pulls.reduce((sum, record) => sum + Number(record.detail?.['count']), 0)).toBe(5);
    expect(pulls.every((record) => record.actor === 'admin' && record.address === '127.0.0.1')).toBe(true);
  });

  it('after a restart is answered from memory', async () => {
    const image = await pushImage(test, 'pull/warm', 'v1');
    await test.restart();
    // Nobody has asked yet, and the database is busy for a while.
    const busy = sql`SELECT pg_sleep(1.5)`.execute(test.store.db);
    const started = performance.now();
    const reply = await test.send('GET', '/v2/pull/warm/manifests/v1');
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(reply.body.equals(image.manifest)).toBe(true);
    await busy;
  });

  it('of a blob needs a link in that very repository', async () => {
    const digest = await pushBlob(test, 'pull/mine');
    await pushBlob(test, 'pull/other');
    expect((await test.send('GET', `/v2/pull/other/blobs/${digest}`)).status).toBe(404);
    expect((await test.send('GET', `/v2/pull/mine/blobs/${digest}`)).status).toBe(200);
  });
});

describe('the image directory', () => {
  it('lists the newest push first, page by page, each image once', async () => {
    const pushed: string[] = [];
    for (const tag of ['one', 'two', 'three']) {
      pushed.unshift((await pushImage(test, 'list/app', tag)).digest);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const first = await test.registry.directory.list({ repository: 'list/app', limit: 2 });
    expect(first.images.map((image) => image.digest)).toEqual(pushed.slice(0, 2));
    const second = await test.registry.directory.list({
      repository: 'list/app',
      limit: 2,
      cursor: first.nextCursor ?? '',
    });
    expect(second.images.map((image) => image.digest)).toEqual(pushed.slice(2));
    expect(second.nextCursor).toBeNull();
    await expect(test.registry.directory.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({
      code: 'REGISTRY_CURSOR_INVALID',
    });
  });

  it('resolves references', async () => {
    const image = await pushImage(test, 'list/resolve', 'v1');
    const { directory } = test.registry;
    expect(await directory.resolve('list/resolve:v1')).toBe(image.digest);
    expect(await directory.resolve(`list/resolve@${image.digest}`)).toBe(image.digest);
    expect(await directory.resolve('list/resolve:none')).toBeUndefined();
    expect(await directory.resolve('list/none@sha256:1')).toBeUndefined();
  });
});

describe('administration', () => {
  it('lists repositories and tags, and deletes with events and audit', async () => {
    const image = await pushImage(test, 'admin/app', 'v1');
    await putManifest(test, 'admin/app', 'v2', image.manifest);
    const { administration } = test.registry;
    const { repositories } = await administration.listRepositories({ limit: 100 });
    expect(repositories.find((entry) => entry.name === 'admin/app')).toMatchObject({ tags: 2, manifests: 1 });
    const page = await administration.listTags('admin/app', { limit: 1 });
    expect(page.tags).toMatchObject([{ name: 'v1', digest: image.digest, mediaType: OCI_MANIFEST }]);
    const rest = await administration.listTags('admin/app', { limit: 1, cursor: page.nextCursor ?? '' });
    expect(rest.tags.map((tag) => tag.name)).toEqual(['v2']);
    const deleted: ImageDeleted[] = [];
    const stop = test.events.subscribe('image.deleted', (event) => void deleted.push(event));
    await administration.remove('admin/app', image.digest, 'admin', null);
    await eventually(async () => deleted.length === 3);
    stop();
    expect(deleted.map((event) => event.tag).toSorted()).toEqual(['v1', 'v2', null].toSorted());
    await expect(administration.remove('admin/app', 'v1', 'admin', null)).rejects.toMatchObject({
      code: 'REGISTRY_MANIFEST_UNKNOWN',
    });
    await expect(administration.listTags('admin/none', { limit: 1 })).rejects.toMatchObject({
      code: 'REGISTRY_REPOSITORY_UNKNOWN',
    });
  });
});

describe('the server', () => {
  it('measures', async () => {
    await test.send('GET', '/v2/');
    const text = await test.metrics.metrics();
    expect(text).toMatch(/breakwater_registry_requests_total\{route="base",method="GET",status="200"\} \d+/);
    expect(text).toMatch(/breakwater_registry_received_bytes_total \d+/);
  });

  it('answers malformed requests without falling over', async () => {
    const answers = await Promise.all(
      [
        'GET /v2/%zz HTTP/1.1\r\nHost: a\r\n\r\n',
        'BREW /v2/ HTTP/1.1\r\n\r\n',
        'GET\r\n\r\n',
        '\x00\x01\x02',
      ].map(
        (text) =>
          new Promise<string>((resolve) => {
            const socket = connect(test.port, '127.0.0.1', () => socket.end(text));
            let answer = '';
            socket.on('data', (chunk) => (answer += chunk.toString()));
            socket.on('error', () => resolve(answer));
            socket.on('close', () => resolve(answer));
          }),
      ),
    );
    expect(answers[0]).toMatch(/^HTTP\/1\.1 404/);
    expect((await test.send('GET', '/v2/')).status).toBe(200);
  });

  it('stops accepting when it drains, and lets an upload in flight end', async () => {
    const bytes = randomBytes(100_000);
    const digest = sha256(bytes);
    const upload = test.open('POST', `/v2/drain/app/blobs/uploads/?digest=${digest}`, {
      'content-length': String(bytes.length),
    });
    const status = new Promise<number | undefined>((resolve, reject) => {
      upload.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      upload.on('error', reject);
    });
    upload.write(bytes.subarray(0, 50_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const drained = test.registry.drain(5_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(test.send('GET', '/v2/')).rejects.toThrow(/ECONNREFUSED/);
    upload.end(bytes.subarray(50_000));
    expect(await status).toBe(201);
    await drained;
    await test.restart();
    expect((await test.send('GET', `/v2/drain/app/blobs/${digest}`)).body.equals(bytes)).toBe(true);
  });

  it('says which address it cannot listen on', async () => {
    const { store, identity, events } = test;
    const second = await createRegistry({
      store,
      identity,
      events,
      metrics: createMetrics(),
      logger: silentLogger(),
      clock: systemClock,
      randomness: systemRandomness,
    });
    for (const port of [test.port, 70_000]) {
      await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({
        code: 'REGISTRY_LISTEN_FAILED',
      });
    }
    await second.close();
  });
});
