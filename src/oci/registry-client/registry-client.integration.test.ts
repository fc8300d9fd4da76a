// The registry client against Debian's docker-registry, and against a server that misbehaves on purpose.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  digestOf,
  OCI_EMPTY,
  OCI_IMAGE_CONFIG,
  OCI_IMAGE_INDEX,
  OCI_IMAGE_MANIFEST,
  OCI_LAYER_GZIP,
  openRegistryImage,
  parseManifest,
  parseReference,
  readLayer,
  RegistryClient,
  type TransportOptions,
} from '../index.ts';
import { RecordingVisitor } from '../testing/recording-visitor.ts';
import { tarArchive, tarFile } from '../testing/tar-writer.ts';

const noRegistry = spawnSync('docker-registry', ['--version'], { stdio: 'ignore' }).error !== undefined;

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

describe.skipIf(noRegistry)(
  `with docker-registry${noRegistry ? ' (skipped: it is not installed)' : ''}`,
  () => {
    let folder = '';
    let registry: ChildProcess | undefined;
    let host = '';

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'breakwater-registry-'));
      const probe = createServer();
      host = `127.0.0.1:${await listen(probe)}`;
      await new Promise((resolve) => probe.close(resolve));
      const storage = `{filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}`;
      await writeFile(
        join(folder, 'config.yml'),
        `{version: 0.1, storage: ${storage}, http: {addr: "${host}"}}`,
      );
      registry = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
      for (let attempt = 0; ; attempt++) {
        try {
          await new RegistryClient(host).check();
          return;
        } catch (error) {
          if (attempt > 20) throw error;
          await sleep(100);
        }
      }
    });

    afterAll(async () => {
      registry?.kill();
      await rm(folder, { recursive: true, force: true });
    });

    it('pushes and pulls an image byte by byte', async () => {
      const client = new RegistryClient(host);
      const layer = gzipSync(
        tarArchive(tarFile('etc/hello', 'world'), tarFile('noise', randomBytes(3 << 20))),
      );
      const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}');
      expect(await client.blobExists('team/app', digestOf(layer))).toBe(false);
      await client.pushBlob('team/app', config);
      const stored = await client.pushBlob(
        'team/app',
        Readable.from([layer.subarray(0, 1000), layer.subarray(1000)]),
      );
      expect(stored).toEqual({ digest: digestOf(layer), size: layer.length });
      expect(await client.blobExists('team/app', stored.digest)).toBe(true);
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: OCI_IMAGE_MANIFEST,
          config: { mediaType: OCI_IMAGE_CONFIG, digest: digestOf(config), size: config.length },
          layers: [{ mediaType: OCI_LAYER_GZIP, ...stored }],
        }),
      );
      const digest = await client.pushManifest('team/app', 'v1', { bytes, mediaType: OCI_IMAGE_MANIFEST });
      await client.pushManifest('team/app', 'v2', { bytes, mediaType: OCI_IMAGE_MANIFEST });
      expect(await client.listTags('team/app')).toEqual(['v1', 'v2']);
      expect(await client.resolve('team/app', 'v1')).toEqual({
        mediaType: OCI_IMAGE_MANIFEST,
        digest,
        size: bytes.length,
      });
      expect(await client.resolve('team/app', 'v3')).toBeUndefined();

      const source = openRegistryImage(parseReference(`${host}/team/app:v1`));
      const root = await source.root();
      expect(root).toEqual({ digest, mediaType: OCI_IMAGE_MANIFEST, bytes });
      const manifest = parseManifest(root.bytes, root.mediaType);
      const first = manifest.kind === 'image' ? manifest.layers[0] : undefined;
      if (!first) throw new Error('a layer was expected');
      const visitor = new RecordingVisitor();
      await readLayer(await source.blob(first), first.mediaType, visitor);
      expect(visitor.entries[0]).toMatchObject({ path: 'etc/hello', content: 'world' });
    });

    it('finds referrers by the fallback tag where there is no API for them', async () => {
      const client = new RegistryClient(host);
      await client.pushBlob('refs', Buffer.from('{}'));
      const config = { mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2 };
      const image = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config, layers: [config] };
      const bytes = Buffer.from(JSON.stringify(image));
      const subject = await client.pushManifest('refs', 'image', { bytes, mediaType: OCI_IMAGE_MANIFEST });
      expect(await client.referrers('refs', subject)).toEqual([]);
      const entry = {
        mediaType: OCI_IMAGE_MANIFEST,
        digest: subject,
        size: bytes.length,
        artifactType: 'application/x',
      };
      const index = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [entry] }),
      );
      await client.pushManifest('refs', subject.replace(':', '-'), {
        bytes: index,
        mediaType: OCI_IMAGE_INDEX,
      });
      expect(await client.referrers('refs', subject)).toEqual([entry]);
      expect(await client.referrers('refs', subject, 'application/y')).toEqual([]);
    });

    it('fails with codes for what is not there', async () => {
      const client = new RegistryClient(host);
      await expect(client.manifest('none', 'v1')).rejects.toMatchObject({ code: 'OCI_NOT_FOUND', exit: 3 });
      await expect(client.listTags('none')).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
      const blob = client.blob('none', { digest: digestOf('x'), size: 1 });
      await expect(buffer(blob)).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
    });
  },
);

describe('with a server that misbehaves', () => {
  const servers: Server[] = [];
  type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

  async function serve(handler: Handler): Promise<{ host: string; seen: IncomingMessage[] }> {
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      handler(request, response, seen.length);
    });
    servers.push(server);
    return { host: `127.0.0.1:${await listen(server)}`, seen };
  }

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  const content = randomBytes(200_000);
  const descriptor = { digest: digestOf(content), size: content.length };
  const pull = (host: string, options: TransportOptions = {}): Promise<Buffer> =>
    buffer(new RegistryClient(host, options).blob('app', descriptor));

  it('takes up an interrupted download with Range, or by skipping what it has', async () => {
    for (const knowsRange of [true, false]) {
      const { host, seen } = await serve((request, response, count) => {
        const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const start = knowsRange ? from : 0;
        const headers = { 'content-length': content.length - start };
        if (from > 0 && knowsRange) {
          const range = `bytes ${from}-${content.length - 1}/${content.length}`;
          response.writeHead(206, { ...headers, 'content-range': range });
        } else response.writeHead(200, headers);
        if (count > 2) response.end(content.subarray(start));
        else
          response.write(content.subarray(start, start + 90_000), () =>
            setTimeout(() => response.destroy(), 20),
          );
      });
      expect((await pull(host)).equals(content)).toBe(true);
      expect(seen).toHaveLength(3);
      expect(seen[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    }
  });

  it('gives up a download that never gets anywhere', async () => {
    const { host, seen } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write('', () => response.destroy());
      response.flushHeaders();
    });
    await expect(pull(host)).rejects.toMatchObject({ code: 'OCI_REGISTRY_UNREACHABLE' });
    expect(seen.length).toBeLessThan(40);
  });

  it('notices wrong bytes, too many and too few', async () => {
    const wrong = Buffer.from(content);
    wrong[5] = (wrong[5] ?? 0) ^ 1;
    const answers = [wrong, Buffer.concat([content, content])];
    for (const [index, code] of ['OCI_DIGEST_MISMATCH', 'OCI_SIZE_MISMATCH'].entries()) {
      const { host } = await serve((_request, response) => void response.end(answers[index]));
      await expect(pull(host)).rejects.toMatchObject({ code });
    }
    const manifest = Buffer.from('{"schemaVersion":2}');
    const { host } = await serve((_request, response) => {
      response.setHeader('docker-content-digest', digestOf('something else'));
      response.end(manifest);
    });
    await expect(new RegistryClient(host).manifest('app', 'v1')).rejects.toMatchObject({
      code: 'OCI_DIGEST_MISMATCH',
    });
  });

  it('waits as long as a rate limit says, a bounded number of times', async () => {
    const { host, seen } = await serve((_request, response, count) => {
      if (count === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.end(content);
    });
    const started = performance.now();
    expect((await pull(host)).length).toBe(content.length);
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(seen).toHaveLength(2);
    const busy = await serve(
      (_request, response) => void response.writeHead(429, { 'retry-after': '0' }).end(),
    );
    await expect(new RegistryClient(busy.host).check()).rejects.toMatchObject({ code: 'OCI_REGISTRY_BUSY' });
    expect(busy.seen).toHaveLength(4);
  });

  it('does not send the authorization to another host', async () => {
    const other = await serve((_request, response) => void response.end(content));
    const { host, seen } = await serve((_request, response) => {
      response.writeHead(307, { location: `http://${other.host}/data?signature=x` }).end();
    });
    const credential = { kind: 'bearer', token: 'secret' } as const;
    expect((await pull(host, { credential })).equals(content)).toBe(true);
    expect(seen[0]?.headers.authorization).toBe('Bearer secret');
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
    const loop = await serve(
      (_request, response) => void response.writeHead(302, { location: '/again' }).end(),
    );
    await expect(new RegistryClient(loop.host).check()).rejects.toMatchObject({
      code: 'OCI_REGISTRY_ANSWER',
    });
  });

  it('gets a token with Basic, keeps it by scope, and asks again when it is refused', async () => {
    let valid = 'first';
    const { host, seen } = await serve((request, response) => {
      const url = new URL(request.url ?? '', `http://${host}`);
      if (url.pathname === '/token') {
        const isKnown =
          request.headers.authorization === `Basic ${Buffer.from('user:pass').toString('base64')}`;
        const isRight =
          url.searchParams.get('scope') === 'repository:app:pull' && url.searchParams.get('service') === 's';
        response
          .writeHead(isKnown && isRight ? 200 : 401)
          .end(JSON.stringify({ token: valid, expires_in: 300 }));
      } else if (request.headers.authorization === `Bearer ${valid}`) response.end(content);
      else {
        const challenge = `Bearer realm="http://${host}/token",service="s",scope="repository:app:pull"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    const credential = { kind: 'basic', username: 'user', password: 'pass' } as const;
    const client = new RegistryClient(host, { credential });
    for (const expected of [3, 4]) {
      expect((await buffer(client.blob('app', descriptor))).equals(content)).toBe(true);
      expect(seen).toHaveLength(expected);
    }
    valid = 'second';
    expect(await client.blobExists('app', descriptor.digest)).toBe(true);
    expect(seen).toHaveLength(7);
    const stranger = new RegistryClient(host, { credential: { ...credential, password: 'wrong' } });
    await expect(stranger.blobExists('app', descriptor.digest)).rejects.toMatchObject({
      code: 'OCI_REGISTRY_DENIED',
    });
  });

  it('exchanges an identity token by POST, and answers a Basic challenge', async () => {
    const bodies: string[] = [];
    const { host } = await serve((request, response) => {
      if (request.url === '/token') {
        let body = '';
        request.on('data', (chunk) => (body += String(chunk)));
        request.on('end', () => {
          bodies.push(`${request.method} ${body}`);
          response.end(JSON.stringify({ access_token: 'fresh' }));
        });
      } else if (request.headers.authorization === 'Bearer fresh') response.end(content);
      else
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` })
          .end();
    });
    const credential = { kind: 'identity-token', token: 'refresh' } as const;
    expect((await pull(host, { credential })).length).toBe(content.length);
    expect(bodies).toEqual([
      'POST grant_type=refresh_token&client_id=breakwater&refresh_token=refresh&service=s&scope=repository%3Aapp%3Apull',
    ]);
    const basic = await serve((request, response) => {
      if (request.headers.authorization === `Basic ${Buffer.from('u:p').toString('base64')}`)
        response.end(content);
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    const right = { credential: { kind: 'basic', username: 'u', password: 'p' } } as const;
    expect((await pull(basic.host, right)).length).toBe(content.length);
    const wrong = { credential: { ...right.credential, password: 'q' } };
    await expect(pull(basic.host, wrong)).rejects.toMatchObject({ code: 'OCI_REGISTRY_DENIED' });
    await expect(pull(basic.host)).rejects.toMatchObject({ code: 'OCI_REGISTRY_DENIED', exit: 3 });
  });

  it('says when the registry is not there, and stops when aborted', async () => {
    const { host } = await serve(() => {});
    const gone = createServer();
    const port = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    await expect(new RegistryClient(`127.0.0.1:${port}`).check()).rejects.toMatchObject({
      code: 'OCI_REGISTRY_UNREACHABLE',
    });
    const client = new RegistryClient(host, { signal: AbortSignal.timeout(100) });
    await expect(client.check()).rejects.toMatchObject({ code: 'OCI_ABORTED' });
  });
});
