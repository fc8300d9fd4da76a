// Start and end of a real server: first run with the sample, graceful end with an upload in flight, refusals, backup and restore.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runProgram } from './fixtures/program.ts';
import { eventually, startTestServer, type TestServer } from './fixtures/server.ts';
import { pushSmallImage, sha256, smallImage } from './fixtures/small-image.ts';

const root = join(import.meta.dirname, '..');
const breakwater = join(root, 'bin/breakwater.js');
/** What is told here of locks and first starts is about the embedded database. */
const embedded = { DATABASE_URL: '' };
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runProgram(process.execPath, [breakwater, ...args], { env: { ...embedded, ...env } });
const basic = ({ username, password }: TestServer['credential']): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Starts the server as `npm start` does, interrupts it once its output holds `sign`, and waits for its end. */
async function serveUntil(
  data: string,
  sign: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const listen = ['--listen', '127.0.0.1:0', '--registry-listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [breakwater, 'serve', '--data', data, ...listen], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...embedded },
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    // The rest of the text may come in the next chunk.
    if (stdout.includes(sign)) setTimeout(() => child.kill('SIGINT'), 300);
  });
  const [code] = await once(child, 'exit');
  return { code: typeof code === 'number' ? code : -1, stdout, stderr };
}

describe('server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-lifecycle-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('shows the sample on new data and nothing of it on the next start; Ctrl-C ends it with 0', async () => {
    const data = join(folder, 'first');
    const first = await serveUntil(data, 'Next:');
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/password +\S{20,}/);
    expect(first.stdout).toContain('FIX FIRST');
    expect(first.stdout).toContain('starter advisories');
    expect(first.stdout).toMatch(/lodash +4\.17\.15 → 4\.17\.21/);
    expect(first.stdout.split('Next:')[1]?.trim().split('\n').length).toBe(3);
    expect(first.stderr).not.toContain(/password +(\S+)/.exec(first.stdout)?.[1]);
    const second = await serveUntil(data, 'is ready.');
    expect(second.code).toBe(0);
    expect(second.stdout).not.toMatch(/password|FIX FIRST/);
  });

  it('gives a new password to who lost the old one or the key folder, without the sample', async () => {
    const data = join(folder, 'lost');
    const old = await startTestServer({ env: embedded, data });
    expect(await old.stop()).toBe(0);
    rmSync(join(data, 'keys'), { recursive: true });
    const server = await startTestServer({ env: embedded, data, args: ['--new-password'] });
    try {
      const signIn = async (credential: TestServer['credential']): Promise<number> =>
        (await fetch(`${server.api}/api/v1/images`, { headers: { authorization: basic(credential) } }))
          .status;
      expect(server.credential.password).not.toBe(old.credential.password);
      expect([await signIn(old.credential), await signIn(server.credential)]).toEqual([401, 200]);
      expect(await server.json('/api/v1/images')).toMatchObject({ images: [] });
    } finally {
      await server.stop();
    }
  });

  it('lets an upload in flight end, refuses new ones, and ends with 0', async () => {
    const server = await startTestServer({ env: embedded, data: join(folder, 'graceful') });
    const authorization = basic(server.credential);
    const start = await fetch(`http://${server.registry}/v2/slow/app/blobs/uploads/`, {
      method: 'POST',
      headers: { authorization },
    });
    const location = new URL(start.headers.get('location') ?? '', `http://${server.registry}`);
    const halves = [Buffer.alloc(100_000, 1), Buffer.alloc(100_000, 2)];
    location.searchParams.set('digest', sha256(Buffer.concat(halves)));
    const upload = request(location, {
      method: 'PUT',
      headers: { authorization, 'content-length': '200000', 'content-type': 'application/octet-stream' },
    });
    const answered = new Promise<number>((resolve, reject) => {
      upload.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      upload.on('error', reject);
    });
    upload.write(halves[0]);
    await sleep(300);
    const ended = server.stop();
    await eventually(
      () =>
        fetch(`http://${server.registry}/v2/`).then(
          (r) => r.status,
          () => 0,
        ),
      (status) => status === 0 || status === 503,
      10_000,
      'refusal',
    );
    upload.end(halves[1]);
    expect(await answered).toBe(201);
    expect(await ended).toBe(0);
    expect(existsSync(join(folder, 'graceful', 'server.json'))).toBe(false);
  });

  it('refuses a data directory that has a server, and addresses in use, with what to do', async () => {
    const data = join(folder, 'one');
    const server = await startTestServer({ env: embedded, data });
    try {
      const free = ['--listen', '127.0.0.1:0', '--registry-listen', '127.0.0.1:0', '--no-sample'];
      const second = await run(['serve', '--data', data, ...free]);
      expect(second.status).toBe(2);
      expect(second.stderr).toMatch(/code: {2}STORE_LOCKED/);
      expect(second.stderr).toContain(String(server.pid));
      const taken = new URL(server.api).host;
      const third = await run([
        'serve',
        '--data',
        join(folder, 'other'),
        '--no-sample',
        '--listen',
        taken,
        '--registry-listen',
        '127.0.0.1:0',
      ]);
      expect(third.status).toBe(2);
      expect(third.stderr).toMatch(/code: {2}SERVER_ADDRESS_IN_USE/);
      expect(third.stderr).toContain('--listen');
      expect(third.stdout).not.toContain('password');
      const worker = await run(['serve', '--data', join(folder, 'worker'), '--role', 'worker']);
      expect([worker.status, worker.stderr]).toEqual([
        2,
        expect.stringContaining('SERVER_ROLE_NEEDS_DATABASE'),
      ]);
    } finally {
      await server.stop();
    }
  });

  it('backs up the running server and, later, the directory; a restore brings back every image', async () => {
    const data = join(folder, 'source');
    const server = await startTestServer({ env: embedded, data });
    const image = smallImage('lodash');
    let restored: TestServer | undefined;
    try {
      await pushSmallImage(image, {
        registry: server.registry,
        authorization: basic(server.credential),
        repository: 'keep/app',
        tag: '1',
      });
      await eventually(
        () => server.json(`/api/v1/images/${image.digest}/scan`),
        (body) => z.object({ status: z.string() }).parse(body).status === 'finished',
        30_000,
        'the scan',
      );
      const file = join(folder, 'live.backup');
      const denied = await run(['backup', '--data', data, '--out', file], { BREAKWATER_PASSWORD: 'wrong' });
      expect([denied.status, denied.stderr]).toEqual([3, expect.stringContaining('CLI_SERVER_UNREACHABLE')]);
      const live = await run(['backup', '--data', data, '--out', file, '--blobs'], {
        BREAKWATER_PASSWORD: server.credential.password,
      });
      expect(live.stderr).toBe('');
      expect([live.status, live.stdout]).toEqual([0, expect.stringContaining('metadata and blobs')]);
      const busy = await run(['restore', file, '--data', data]);
      expect([busy.status, busy.stderr]).toEqual([2, expect.stringContaining('CLI_RESTORE_RUNNING')]);
      await server.stop();
      const offline = await run(['backup', '--data', data, '--out', join(folder, 'offline.backup')]);
      expect([offline.status, offline.stdout]).toEqual([0, expect.stringContaining('--blobs')]);

      const target = join(folder, 'target');
      const damaged = join(folder, 'damaged.backup');
      writeFileSync(damaged, readFileSync(file).subarray(0, -1));
      const refused = await run(['restore', damaged, '--data', target]);
      expect([refused.status === 0, refused.stderr]).toEqual([
        false,
        expect.stringContaining('STORE_BACKUP_DAMAGED'),
      ]);
      expect(existsSync(target)).toBe(false);
      const back = await run(['restore', file, '--data', target]);
      expect([back.status, back.stdout]).toEqual([0, expect.stringContaining('restored metadata and blobs')]);
      expect(back.stdout).not.toContain('left out');
      const wrong = await run(['restore', file, '--data', target]);
      expect([wrong.status === 0, wrong.stderr]).toEqual([
        false,
        expect.stringContaining('STORE_RESTORE_NOT_EMPTY'),
      ]);
      // Passwords need the old key folder.
      cpSync(join(data, 'keys'), join(target, 'keys'), { recursive: true });
      restored = await startTestServer({ env: embedded, data: target, credential: server.credential });
      const pulled = await fetch(`http://${restored.registry}/v2/keep/app/blobs/${sha256(image.layer)}`, {
        headers: { authorization: basic(server.credential) },
      });
      expect(Buffer.from(await pulled.arrayBuffer()).equals(image.layer)).toBe(true);
      expect(await restored.json(`/api/v1/images/${image.digest}`)).toMatchObject({
        scan: { status: 'finished' },
        packages: [{ name: 'lodash' }],
      });
    } finally {
      await server.stop();
      await restored?.stop();
    }
  });

  it('doctor names what is wrong and how to fix it', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const result = await run([
      'doctor',
      '--data',
      join(folder, 'none'),
      '--listen',
      `127.0.0.1:${port}`,
      '--registry-listen',
      '127.0.0.1:0',
      '-o',
      'json',
    ]);
    blocker.close();
    expect(result.status).toBe(1);
    const { checks } = z
      .object({
        checks: z.array(z.object({ name: z.string(), state: z.string(), fix: z.string().nullable() })),
      })
      .parse(JSON.parse(result.stdout));
    expect(checks.filter((check) => check.state === 'fail')).toEqual([
      { name: 'API address', state: 'fail', fix: expect.stringContaining('--listen') },
    ]);
    expect(checks.find((check) => check.name === 'database')?.state).toBe('ok');
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
