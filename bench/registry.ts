// Registry throughput per server CPU-second beside Debian's docker-registry, in the same run and interleaved.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findTool } from '../scripts/tools.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { cpuSeconds, median, type Figure } from './measure.ts';
import { startBreakwater, startDistribution, type RunningServer } from './servers.ts';

const REPOSITORY = 'bench/image';
const MiB = 1024 * 1024;

export const registryBench: Bench = {
  name: 'registry',
  title:
    'blobs and manifests per server CPU-second (database included, authentication and audit on) against docker-registry (no authentication)',
  missing: () => {
    const absent = ['docker-registry', 'wrk'].filter((tool) => findTool(tool) === undefined);
    return absent.length > 0
      ? `${absent.join(' and ')} not installed (scripts/install-test-tools.sh)`
      : undefined;
  },
  run,
};

interface Rates {
  readonly get: number[];
  readonly getParallel: number[];
  readonly put: number[];
  readonly manifest: number[];
}

async function run({ smoke, directory }: BenchOptions): Promise<Figure[]> {
  const size = smoke ? 8 * MiB : 100 * MiB;
  const rounds = smoke ? 1 : 5;
  const ours = await startBreakwater(join(directory, 'breakwater'), { core: 0 });
  const peer = await startDistribution(join(directory, 'distribution'), 0);
  try {
    const rates = new Map<string, Rates>();
    for (const server of [ours, peer]) {
      rates.set(server.name, { get: [], getParallel: [], put: [], manifest: [] });
      await pushImage(server, size);
    }
    // Warm both up before anything counts: code paths, caches, page cache.
    for (const server of [ours, peer])
      await measureRound(server, Math.min(size, 16 * MiB), smoke, {
        get: [],
        getParallel: [],
        put: [],
        manifest: [],
      });
    for (let round = 0; round < rounds; round++) {
      for (const server of [ours, peer]) {
        const entry = rates.get(server.name);
        if (entry !== undefined) await measureRound(server, size, smoke, entry);
      }
    }
    return figures(rates);
  } finally {
    await ours.stop();
    await peer.stop();
  }
}

function figures(rates: ReadonlyMap<string, Rates>): Figure[] {
  const ours = rates.get('breakwater');
  const peer = rates.get('docker-registry');
  if (ours === undefined || peer === undefined) return [];
  const ratio = (name: string, key: keyof Rates, min: number, unit: string): Figure => {
    const ourRate = median(ours[key]);
    const peerRate = median(peer[key]);
    return {
      name,
      value: ourRate / peerRate,
      unit: '×',
      bar: { min },
      detail: `${ourRate.toFixed(0)} against ${peerRate.toFixed(0)} ${unit} per CPU-second, medians of ${ours[key].length}`,
    };
  };
  return [
    ratio('blob GET, 1 stream', 'get', 1, 'MB'),
    ratio('blob GET, 8 streams', 'getParallel', 1, 'MB'),
    ratio('blob upload with digest', 'put', 1.5, 'MB'),
    ratio('manifest by tag', 'manifest', 8, 'requests'),
  ];
}

async function measureRound(
  server: RunningServer,
  size: number,
  smoke: boolean,
  rates: Rates,
): Promise<void> {
  const authorization = (await server.authorization(REPOSITORY)) ?? '-';
  const repeats = smoke ? 2 : 6;
  const digest = blobDigest(size);
  const transfer = (mode: string, streams: number, count: number): Promise<number> =>
    rate(server, async () => {
      const args = [
        mode,
        server.registry,
        REPOSITORY,
        String(streams),
        String(count),
        String(size),
        digest,
        authorization,
      ];
      return Number(await runClient(args)) / 1e6;
    });
  rates.get.push(await transfer('get', 1, repeats));
  rates.getParallel.push(await transfer('get', 8, Math.max(1, repeats / 2)));
  rates.put.push(await transfer('put', 1, Math.max(1, repeats / 3)));
  rates.manifest.push(await rate(server, () => manifestRequests(server, authorization, smoke ? 1 : 5)));
}

/** Work done per CPU-second of the server's process tree. Idle work of the same time is part of it. */
async function rate(server: RunningServer, work: () => Promise<number>): Promise<number> {
  const before = cpuSeconds(server.pid);
  const done = await work();
  return done / Math.max(0.01, cpuSeconds(server.pid) - before);
}

async function manifestRequests(
  server: RunningServer,
  authorization: string,
  seconds: number,
): Promise<number> {
  const header = authorization === '-' ? [] : ['-H', `Authorization: ${authorization}`];
  const url = `http://${server.registry}/v2/${REPOSITORY}/manifests/latest`;
  const output = await runProgram('taskset', [
    '-c',
    '1',
    'wrk',
    '-t1',
    '-c32',
    `-d${seconds}s`,
    ...header,
    '-H',
    `Accept: ${MANIFEST_TYPE}`,
    url,
  ]);
  if (/Non-2xx/.test(output)) throw new Error(`manifest requests failed: ${output}`);
  return Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
}

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const blobs = new Map<number, Buffer>();

function blobOf(size: number): Buffer {
  const existing = blobs.get(size);
  if (existing !== undefined) return existing;
  const content = randomBytes(size);
  blobs.set(size, content);
  return content;
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function blobDigest(size: number): string {
  return sha256(blobOf(size));
}

/** Pushes an artifact (so that nothing is scanned while measuring) with the blobs of this run, tagged `latest`. */
async function pushImage(server: RunningServer, size: number): Promise<void> {
  const config = Buffer.from('{}');
  const contents = [config, blobOf(size), blobOf(Math.min(size, 16 * MiB))];
  const authorization = await server.authorization(REPOSITORY);
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  for (const content of contents) await pushBlob(server, content, headers);
  const layers = Array.from({ length: 8 }, () => ({
    mediaType: 'application/octet-stream',
    digest: sha256(blobOf(size)),
    size,
  }));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: 'application/vnd.breakwater.bench',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(config), size: config.length },
    layers,
  });
  const response = await fetch(`http://${server.registry}/v2/${REPOSITORY}/manifests/latest`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': MANIFEST_TYPE },
    body: manifest,
  });
  if (response.status !== 201)
    throw new Error(`${server.name} refused the manifest: ${response.status} ${await response.text()}`);
}

async function pushBlob(
  server: RunningServer,
  content: Buffer,
  headers: Record<string, string>,
): Promise<void> {
  const start = await fetch(`http://${server.registry}/v2/${REPOSITORY}/blobs/uploads/`, {
    method: 'POST',
    headers,
  });
  const location = new URL(start.headers.get('location') ?? '', `http://${server.registry}`);
  location.searchParams.set('digest', sha256(content));
  const response = await fetch(location, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(content),
  });
  if (response.status !== 201)
    throw new Error(`${server.name} refused a blob: ${response.status} ${await response.text()}`);
}

function runClient(args: readonly string[]): Promise<string> {
  return runProgram('taskset', [
    '-c',
    '1',
    process.execPath,
    join(import.meta.dirname, 'blob-client.ts'),
    ...args,
  ]);
}

function runProgram(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}: ${output}`)),
    );
  });
}
