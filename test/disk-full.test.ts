// The disk fills up during a push: a 5xx, nothing half visible, and the upload goes on from where it stood once there is room.
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { startTestServer, type TestServer } from './fixtures/server.ts';

const MiB = 1024 * 1024;
const place = await openTestPlace();
const data = place.options.dataDirectory;
const blobs = join(data, 'blobs');

function mountSmallDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting a small disk needs root';
  mkdirSync(blobs, { recursive: true, mode: 0o700 });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'tmpfs', blobs], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `a small disk cannot be mounted here: ${error instanceof Error ? error.message.split('\n')[1] : ''}`;
  }
}

const missing = mountSmallDisk();

describe.skipIf(missing !== undefined)(`a full disk${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let server: TestServer;
  let headers: Record<string, string>;

  beforeAll(async () => {
    server = await startTestServer({ data, env: databaseOf(place) });
    const { username, password } = server.credential;
    headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  });

  afterAll(async () => {
    await server?.stop();
    execFileSync('umount', [blobs]);
    await place.remove();
  });

  const url = (path: string): string => new URL(path, `http://${server.registry}/v2/disk/full/`).href;

  it('answers 5xx, shows nothing, and resumes', async () => {
    const content = randomBytes(12 * MiB);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const filler = join(blobs, 'filler');
    const free = (): number => {
      const { bavail, bsize } = statfsSync(blobs);
      return bavail * bsize;
    };
    writeFileSync(filler, Buffer.alloc(Math.max(0, free() - 5 * MiB)));

    const start = await fetch(url('blobs/uploads/'), { method: 'POST', headers });
    expect(start.status).toBe(202);
    const location = new URL(start.headers.get('location') ?? '', `http://${server.registry}`);
    const upload = (from: number): Promise<Response> =>
      fetch(location, {
        method: 'PATCH',
        headers: {
          ...headers,
          'content-type': 'application/octet-stream',
          'content-range': `${from}-${content.length - 1}`,
        },
        body: new Uint8Array(content.subarray(from)),
      });

    const refused = await upload(0);
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(await refused.text()).toMatch(/space|disk|storage/i);
    expect((await fetch(url(`blobs/${digest}`), { method: 'HEAD', headers })).status).toBe(404);

    rmSync(filler);
    const status = await fetch(location, { headers });
    expect(status.status).toBe(204);
    const range = status.headers.get('range') ?? '';
    const received = range === '0-0' ? 0 : Number(range.split('-')[1]) + 1;
    expect(received).toBeLessThan(content.length);
    const resumed = await upload(received);
    expect(resumed.status).toBe(202);
    const next = new URL(resumed.headers.get('location') ?? location.href, `http://${server.registry}`);
    next.searchParams.set('digest', digest);
    expect((await fetch(next, { method: 'PUT', headers })).status).toBe(201);
    const back = await fetch(url(`blobs/${digest}`), { headers });
    expect(Buffer.from(await back.arrayBuffer()).equals(content)).toBe(true);
  });

  it('is ready again', async () => {
    expect((await fetch(new URL('/readyz', server.api))).status).toBe(200);
  });
});
