// Uploads over real HTTP: every way to send a blob, and what is left when a client, this server or the order of chunks fails.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics, silentLogger, systemClock, systemRandomness } from '../core/index.ts';
import type { BlobWriter, Store } from '../store/index.ts';
import { createRegistry } from './registry.ts';
import { eventually, openTestRegistry, pushBlob, sha256 } from './testing.ts';
import type { Reply, TestRegistry } from './testing.ts';

let test: TestRegistry;

beforeAll(async () => {
  test = await openTestRegistry();
});

afterAll(async () => {
  await test?.close();
});

async function start(repository: string, query = ''): Promise<string> {
  const reply = await test.send('POST', `/v2/${repository}/blobs/uploads/${query}`);
  expect(reply.status).toBe(202);
  expect(reply.headers.range).toBe('0-0');
  expect(Number(reply.headers['oci-chunk-min-length'])).toBeGreaterThan(0);
  return reply.headers.location ?? '';
}

function patch(location: string, body: Buffer, range?: string): Promise<Reply> {
  return test.send('PATCH', location, {
    body,
    headers: {
      'content-type': 'application/octet-stream',
      ...(range === undefined ? {} : { 'content-range': range }),
    },
  });
}

async function expectStored(repository: string, bytes: Buffer, digest = sha256(bytes)): Promise<void> {
  const reply = await test.send('GET', `/v2/${repository}/blobs/${digest}`);
  expect(reply.status).toBe(200);
  expect(reply.body.equals(bytes)).toBe(true);
}

async function countObjects(): Promise<number> {
  let count = 0;
  for await (const object of test.store.blobs.list()) if (object.size >= 0) count++;
  return count;
}

describe('an upload', () => {
  it('in chunks, with the last one in the closing request', async () => {
    const bytes = randomBytes(30_000);
    const location = await start('up/chunks');
    const first = await patch(location, bytes.subarray(0, 10_000), '0-9999');
    expect([first.status, first.headers.range]).toEqual([202, '0-9999']);
    const second = await patch(location, bytes.subarray(10_000, 20_000), '10000-19999');
    expect([second.status, second.headers.range]).toEqual([202, '0-19999']);
    const status = await test.send('GET', location);
    expect([status.status, status.headers.range]).toEqual([204, '0-19999']);
    const closed = await test.send('PUT', `${location}?digest=${sha256(bytes)}`, {
      body: bytes.subarray(20_000),
      headers: { 'content-range': '20000-29999' },
    });
    expect(closed.status).toBe(201);
    await expectStored('up/chunks', bytes);
    expect((await test.send('GET', location)).status).toBe(404);
  });

  it('under sha512, whatever was announced at its start', async () => {
    const bytes = randomBytes(50_000);
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    for (const query of ['', '?digest-algorithm=sha512']) {
      const location = await start('up/sha512', query);
      await patch(location, bytes);
      expect((await test.send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
      await expectStored('up/sha512', bytes, digest);
    }
    expect((await test.send('POST', '/v2/up/sha512/blobs/uploads/?digest-algorithm=md5')).status).toBe(400);
  });

  it('out of order is refused with where to go on', async () => {
    const location = await start('up/order');
    for (const range of ['5-9', '1-5', 'x-y', '0-3']) {
      const reply = await patch(location, Buffer.alloc(5), range);
      expect(reply.status).toBe(range === '0-3' ? 400 : 416);
      if (reply.status === 416) expect(reply.headers).toMatchObject({ location, range: '0-0' });
    }
    expect((await patch(location, Buffer.from('01234'), '0-4')).status).toBe(202);
    const again = await patch(location, Buffer.from('01234'), '0-4');
    expect([again.status, again.headers.range]).toEqual([416, '0-4']);
    expect((await test.send('PUT', `${location}?digest=${sha256('01234')}`)).status).toBe(201);
  });

  it('with another digest is refused and leaves nothing', async () => {
    const before = await countObjects();
    const location = await start('up/wrong');
    await patch(location, Buffer.from('content'));
    const reply = await test.send('PUT', `${location}?digest=${sha256('other')}`);
    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
    const single = await test.send('POST', `/v2/up/wrong/blobs/uploads/?digest=${sha256('other')}`, {
      body: 'content',
    });
    expect(single.status).toBe(400);
    for (const digest of ['sha256:short', 'md5:d41d8cd98f00b204e9800998ecf8427e', '']) {
      expect(
        (await test.send('POST', `/v2/up/wrong/blobs/uploads/?digest=${digest}`, { body: 'x' })).status,
      ).toBe(400);
    }
    expect(await countObjects()).toBe(before);
    expect((await test.send('GET', `/v2/up/wrong/blobs/${sha256('content')}`)).status).toBe(404);
  });

  it('can be cancelled', async () => {
    const before = await countObjects();
    const location = await start('up/cancel');
    await patch(location, randomBytes(1_000));
    expect((await test.send('DELETE', location)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await test.send(method, location)).status).toBe(404);
    expect(await countObjects()).toBe(before);
  });

  it('belongs to who started it and to its repository', async () => {
    const location = await start('up/mine');
    const other = await test.identity.issueSystemToken(
      'system:other',
      [{ type: 'repository', name: 'up/mine', actions: ['pull', 'push'] }],
      test.registry.service,
      60,
    );
    const stolen = await test.send('PUT', `${location}?digest=${sha256('x')}`, {
      authorization: `Bearer ${other}`,
      body: 'x',
    });
    expect(stolen.status).toBe(404);
    expect((await test.send('GET', location.replace('up/mine', 'up/yours'))).status).toBe(404);
    expect((await test.send('GET', location)).status).toBe(204);
  });

  it('goes on after the client was cut off in the middle of a chunk', async () => {
    const bytes = randomBytes(400_000);
    const location = await start('up/resume');
    const broken = test.open('PATCH', location, { 'content-length': String(bytes.length) });
    broken.on('error', () => undefined);
    broken.write(bytes.subarray(0, 150_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    broken.destroy();
    const size = await eventually(async () => {
      const range = (await test.send('GET', location)).headers.range ?? '';
      return range === '0-0' ? undefined : Number(range.split('-')[1]) + 1;
    });
    expect(size).toBeLessThanOrEqual(150_000);
    expect((await patch(location, bytes.subarray(size), `${size}-${bytes.length - 1}`)).status).toBe(202);
    expect((await test.send('PUT', `${location}?digest=${sha256(bytes)}`)).status).toBe(201);
    await expectStored('up/resume', bytes);
  });

  it('goes on while its earlier connection is dead without anybody knowing', async () => {
    const bytes = randomBytes(100_000);
    const location = await start('up/takeover');
    const silent = test.open('PATCH', location, { 'content-length': String(bytes.length) });
    silent.on('error', () => undefined);
    silent.write(bytes.subarray(0, 40_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Blind: the row still says 0 bytes. The retry breaks the silent request off and learns where to go on.
    const retry = await patch(location, bytes, `0-${bytes.length - 1}`);
    expect([retry.status, retry.headers.range]).toEqual([416, '0-39999']);
    expect((await patch(location, bytes.subarray(40_000), '40000-99999')).status).toBe(202);
    expect((await test.send('PUT', `${location}?digest=${sha256(bytes)}`)).status).toBe(201);
    await expectStored('up/takeover', bytes);
    silent.destroy();
  });

  it('goes on after a restart of the server', async () => {
    const bytes = randomBytes(3_000_000);
    const location = await start('up/restart');
    expect((await patch(location, bytes.subarray(0, 2_000_000))).status).toBe(202);
    await test.restart();
    const status = await test.send('GET', location);
    expect([status.status, status.headers.range]).toEqual([204, '0-1999999']);
    expect((await patch(location, bytes.subarray(2_000_000), '2000000-2999999')).status).toBe(202);
    expect((await test.send('PUT', `${location}?digest=${sha256(bytes)}`)).status).toBe(201);
    await expectStored('up/restart', bytes);
  });

  it('that says less than it sends, or more, leaves the session as it was', async () => {
    const location = await start('up/lies');
    await patch(location, Buffer.from('0123456789'));
    const chunked = async (range: string, body: string): Promise<number | undefined> => {
      const request = test.open('PATCH', location, {
        'content-range': range,
        'transfer-encoding': 'chunked',
      });
      const status = new Promise<number | undefined>((resolve, reject) => {
        request.on('response', (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on('error', reject);
      });
      request.end(body);
      return status;
    };
    expect(await chunked('10-12', 'abcdef')).toBe(400);
    expect(await chunked('10-99', 'abc')).toBe(400);
    expect((await test.send('GET', location)).headers.range).toBe('0-9');
    expect(await chunked('10-12', 'abc')).toBe(202);
    expect((await test.send('PUT', `${location}?digest=${sha256('0123456789abc')}`)).status).toBe(201);
    await expectStored('up/lies', Buffer.from('0123456789abc'));
  });

  it('of the same content twice keeps one object, and heals one whose bytes were lost', async () => {
    const bytes = randomBytes(10_000);
    const digest = await pushBlob(test, 'up/twice', bytes);
    const before = await countObjects();
    await Promise.all(['up/twice-b', 'up/twice-c', 'up/twice-d'].map((name) => pushBlob(test, name, bytes)));
    expect(await countObjects()).toBe(before);
    let lost = '';
    for await (const object of test.store.blobs.list()) {
      if (object.size !== bytes.length) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await test.store.blobs.read(object.id)) chunks.push(chunk as Buffer);
      if (Buffer.concat(chunks).equals(bytes)) lost = object.id;
    }
    await test.store.blobs.remove(lost);
    expect((await test.send('GET', `/v2/up/twice/blobs/${digest}`)).status).toBe(500);
    await pushBlob(test, 'up/twice-e', bytes);
    await expectStored('up/twice', bytes);
  });

  it('of a large blob is streamed: 64 MiB through a bounded queue', async () => {
    const bytes = randomBytes(1024 * 1024);
    const hash = createHash('sha256');
    const location = await start('up/large');
    const upload = test.open('PATCH', location, { 'transfer-encoding': 'chunked' });
    const done = new Promise<number | undefined>((resolve, reject) => {
      upload.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      upload.on('error', reject);
    });
    for (let count = 0; count < 64; count++) {
      hash.update(bytes);
      if (!upload.write(bytes)) await new Promise((resolve) => upload.once('drain', resolve));
    }
    upload.end();
    expect(await done).toBe(202);
    const digest = `sha256:${hash.digest('hex')}`;
    expect((await test.send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    const head = await test.send('HEAD', `/v2/up/large/blobs/${digest}`);
    expect(head.headers['content-length']).toBe(String(64 * 1024 * 1024));
  });

  it('larger than allowed is refused', async () => {
    await test.restart({ limits: { maxBlobBytes: 1_000 } });
    const location = await start('up/limit');
    expect((await patch(location, Buffer.alloc(1_001))).status).toBe(413);
    expect((await patch(location, Buffer.alloc(1_000))).status).toBe(202);
    expect((await patch(location, Buffer.alloc(1), '1000-1000')).status).toBe(413);
    const single = await test.send('POST', `/v2/up/limit/blobs/uploads/?digest=${sha256('x')}`, {
      body: Buffer.alloc(1_001),
    });
    expect(single.status).toBe(413);
    await test.restart({});
  });

  it('that waits to be welcome is told before it sends', async () => {
    const upload = test.open('POST', `/v2/up/expect/blobs/uploads/?digest=${sha256('hello')}`, {
      expect: '100-continue',
      'content-length': '5',
    });
    const status = new Promise<number | undefined>((resolve, reject) => {
      upload.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      upload.on('error', reject);
    });
    upload.on('continue', () => upload.end('hello'));
    upload.flushHeaders();
    expect(await status).toBe(201);
    const refused = test.open('POST', '/v2/up/expect/blobs/uploads/?digest=x', {
      expect: '100-continue',
      'content-length': '5',
    });
    const early = await new Promise<number | undefined>((resolve, reject) => {
      refused.on('response', (response) => resolve(response.statusCode));
      refused.on('continue', () => reject(new Error('welcomed')));
      refused.on('error', reject);
      refused.flushHeaders();
    });
    expect(early).toBe(400);
    refused.destroy();
  });
});

describe('a mount', () => {
  it('links a blob of a repository the caller may read, and starts an upload otherwise', async () => {
    const bytes = randomBytes(1_000);
    const digest = await pushBlob(test, 'mount/from', bytes);
    const mount = (to: string, query: string, authorization?: string): Promise<Reply> =>
      test.send(
        'POST',
        `/v2/${to}/blobs/uploads/?mount=${digest}${query}`,
        authorization === undefined ? {} : { authorization },
      );
    const done = await mount('mount/to', '&from=mount/from');
    expect([done.status, done.headers.location]).toEqual([201, `/v2/mount/to/blobs/${digest}`]);
    await expectStored('mount/to', bytes);
    const both = await test.token('repository:mount/b:pull,push', 'repository:mount/from:pull');
    expect((await mount('mount/b', '&from=mount/from', both)).status).toBe(201);
    const one = await test.token('repository:mount/c:pull,push');
    for (const query of ['&from=mount/from', '', '&from=mount/none', '&from=../mount']) {
      const reply = await mount('mount/c', query, one);
      expect([reply.status, reply.headers.range]).toEqual([202, '0-0']);
    }
    expect((await test.send('HEAD', `/v2/mount/c/blobs/${digest}`)).status).toBe(404);
    expect((await mount('mount/d', '')).status).toBe(201);
  });
});

describe('two processes on one upload', () => {
  const gate = { reached: () => undefined as void, opened: Promise.resolve() };

  /** The store as another process has it: its finishing of an object waits at the gate. */
  function otherStore(): Store {
    const bound = (target: object, key: string | symbol): unknown => {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    };
    const waiting = (writer: BlobWriter): BlobWriter =>
      new Proxy(writer, {
        get: (target, key) =>
          key === 'finish'
            ? async () => {
                await target.finish();
                gate.reached();
                await gate.opened;
              }
            : bound(target, key),
      });
    const blobs = new Proxy(test.store.blobs, {
      get: (target, key) =>
        key === 'create' ? async () => waiting(await target.create()) : bound(target, key),
    });
    return { ...test.store, blobs };
  }

  it.each(['DELETE', 'PATCH', 'PUT'] as const)(
    'never acknowledge a blob whose bytes a %s of the other one took',
    async (method) => {
      const { identity, events } = test;
      const other = await createRegistry({
        store: otherStore(),
        identity,
        events,
        metrics: createMetrics(),
        logger: silentLogger(),
        clock: systemClock,
        randomness: systemRandomness,
      });
      const { port } = await other.listen('127.0.0.1', 0);
      try {
        const bytes = randomBytes(20_000);
        const location = await start(`two/${method.toLowerCase()}`);
        const there = (verb: string, path: string, body?: Buffer): Promise<Response> =>
          fetch(`http://127.0.0.1:${port}${path}`, {
            method: verb,
            headers: { authorization: test.basic },
            ...(body === undefined ? {} : { body: new Uint8Array(body) }),
          });
        expect((await there('PATCH', location, bytes.subarray(0, 10_000))).status).toBe(202);
        const opening = Promise.withResolvers<void>();
        const reached = new Promise<void>((resolve) => (gate.reached = resolve));
        gate.opened = opening.promise;
        const finishing = there('PUT', `${location}?digest=${sha256(bytes)}`, bytes.subarray(10_000));
        await reached;
        const path = method === 'PUT' ? `${location}?digest=${sha256('other')}` : location;
        const taken = await test.send(method, path, method === 'DELETE' ? {} : { body: randomBytes(10) });
        expect(taken.status).toBe({ DELETE: 204, PATCH: 202, PUT: 400 }[method]);
        opening.resolve();
        const status = (await finishing).status;
        const held = await test.send('GET', `/v2/two/${method.toLowerCase()}/blobs/${sha256(bytes)}`);
        expect([status, held.status]).toEqual([409, 404]);
      } finally {
        await other.close();
      }
    },
  );
});
