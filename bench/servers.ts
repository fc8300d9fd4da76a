// Starts the servers that are compared: Breakwater as a user would, and Debian's docker-registry (Distribution).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

export interface RunningServer {
  readonly name: string;
  readonly pid: number;
  /** `host:port` of the registry. */
  readonly registry: string;
  /** Value of the `Authorization` header that may do everything to `repository`; undefined where none is asked for. */
  authorization(repository: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

const readyLine = z.object({
  api: z.string(),
  registry: z.string(),
  username: z.string(),
  password: z.string(),
});

const root = join(import.meta.dirname, '..');

/** Breakwater with its defaults: authentication, audit, embedded database. Pinned to one core where `core` is given. */
export async function startBreakwater(
  directory: string,
  options: { readonly core?: number; readonly args?: readonly string[] } = {},
): Promise<RunningServer & { readonly api: string; readonly basic: string }> {
  const command = [
    process.execPath,
    join(root, 'bin/breakwater.js'),
    'serve',
    '--data',
    directory,
    '--listen',
    '127.0.0.1:0',
    '--registry-listen',
    '127.0.0.1:0',
    '--ready-json',
    '--no-sample',
    ...(options.args ?? []),
  ];
  const child = spawnPinned(command, options.core);
  const ready = await firstLine(child);
  const { api, registry, username, password } = readyLine.parse(JSON.parse(ready));
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return {
    name: 'breakwater',
    pid: requirePid(child),
    registry,
    api,
    basic,
    authorization: (repository) => bearer(registry, repository, basic),
    stop: () => stop(child),
  };
}

/** Debian's docker-registry, filesystem driver, logs off, no authentication: the lighter configuration for the peer. */
export async function startDistribution(directory: string, core?: number): Promise<RunningServer> {
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const configuration = join(directory, 'config.yml');
  writeFileSync(
    configuration,
    [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { filesystem: { rootdirectory: ${join(directory, 'storage')} }, cache: { blobdescriptor: inmemory }, delete: { enabled: true } }`,
      `http: { addr: "127.0.0.1:${port}" }`,
      '',
    ].join('\n'),
  );
  const child = spawnPinned(['docker-registry', 'serve', configuration], core);
  const registry = `127.0.0.1:${port}`;
  await waitForHttp(`http://${registry}/v2/`);
  return {
    name: 'docker-registry',
    pid: requirePid(child),
    registry,
    authorization: () => Promise.resolve(undefined),
    stop: () => stop(child),
  };
}

function spawnPinned(command: readonly string[], core: number | undefined): ChildProcess {
  const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  const [program = '', ...args] = pinned;
  return spawn(program, args, {
    stdio: ['ignore', 'pipe', process.env['BENCH_VERBOSE'] ? 'inherit' : 'ignore'],
  });
}

function requirePid(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the server did not start');
  return child.pid;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output');
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('{')) {
      child.stdout.resume();
      return line;
    }
  }
  throw new Error('the server ended before it was ready');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function waitForHttp(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`nothing answers at ${url}`);
}

async function bearer(registry: string, repository: string, basic: string): Promise<string> {
  const challenge = await fetch(`http://${registry}/v2/`);
  const service = /service="([^"]*)"/.exec(challenge.headers.get('www-authenticate') ?? '')?.[1] ?? '';
  const query = new URLSearchParams({ service, scope: `repository:${repository}:pull,push` });
  const response = await fetch(`http://${registry}/oauth2/token?${query.toString()}`, {
    headers: { authorization: basic },
  });
  const { token } = z.object({ token: z.string() }).parse(await response.json());
  return `Bearer ${token}`;
}
