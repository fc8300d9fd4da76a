// One installation as three processes on one PostgreSQL: registry, API and worker; events of one reach the clients of another.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { TestPlace } from '../src/store/testing.ts';
import { describeOnServer } from './fixtures/both-stores.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually } from './fixtures/server.ts';
import { pushSmallImage, smallImage } from './fixtures/small-image.ts';

const breakwater = join(import.meta.dirname, '../bin/breakwater.js');
const readyLine = z.object({
  api: z.string().nullable(),
  registry: z.string().nullable(),
  username: z.string().optional(),
  password: z.string().optional(),
});

describeOnServer('roles', (open) => {
  let place: TestPlace;
  const processes: ChildProcess[] = [];

  async function start(role: string, args: readonly string[] = []): Promise<z.infer<typeof readyLine>> {
    const child = spawn(
      process.execPath,
      [
        breakwater,
        'serve',
        '--data',
        place.options.dataDirectory,
        '--role',
        role,
        '--ready-json',
        '--no-sample',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...databaseOf(place) } },
    );
    processes.push(child);
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    for await (const line of createInterface(child.stdout)) return readyLine.parse(JSON.parse(line));
    throw new Error(`${role} ended before it was ready:\n${log}`);
  }

  beforeAll(async () => {
    place = await open();
  });
  afterAll(async () => {
    for (const child of processes) {
      if (child.exitCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await place.remove();
  });

  it('scans what the registry process got in the worker process and tells it through the API process', async () => {
    const port = await freePort();
    const registryUrl = `http://127.0.0.1:${port}`;
    const registry = await start('registry', ['--registry-listen', `127.0.0.1:${port}`]);
    const api = await start('api', ['--listen', '127.0.0.1:0']);
    const worker = await start('worker', ['--registry-url', registryUrl]);
    expect(registry.api).toBeNull();
    expect(api.registry).toBeNull();
    expect(worker).toEqual({ api: null, registry: null });
    const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString('base64')}`;

    const stop = new AbortController();
    const stream = await fetch(new URL('/api/v1/events/stream', api.api ?? ''), {
      headers: { authorization },
      signal: stop.signal,
    });
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of stream.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
        if (text.includes('event: scan.finished')) break;
      }
    })();

    const image = smallImage('lodash');
    await pushSmallImage(image, {
      registry: registry.registry ?? '',
      authorization,
      repository: 'shop/cart',
      tag: '1',
    });
    const answer = await eventually(
      async () =>
        (
          await fetch(new URL(`/api/v1/images/${image.digest}`, api.api ?? ''), {
            headers: { authorization },
          })
        ).json(),
      (body) => z.object({ scan: z.object({ status: z.literal('finished') }) }).safeParse(body).success,
      30_000,
      'the scan',
    );
    expect(answer).toMatchObject({ packages: [{ name: 'lodash' }] });
    await eventually(
      async () => text,
      (found) => found.includes('event: image.pushed') && found.includes('event: scan.finished'),
      20_000,
      'the events',
    );
    await reading;
    stop.abort();
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
