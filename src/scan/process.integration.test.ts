// Scan processes: results over IPC, the layer cache of the parent, limits, death, cancellation.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiB, silentLogger } from '../core/index.ts';
import { runScanProcess, scanProcessPath, type ScanProcessOptions } from './process.ts';
import { residentBytes } from './process-memory.ts';
import type { LayerBytes } from './layer-cache.ts';
import {
  affects,
  buildAdvisories,
  imageOf,
  serveImages,
  type TestAdvisoryFile,
  type TestImage,
  type TestRegistry,
} from './testing.ts';

let file: TestAdvisoryFile;
let registry: TestRegistry;

beforeAll(async () => {
  file = await buildAdvisories([{ id: 'CVE-2021-23337', affected: [affects('npm', 'lodash', '4.17.21')] }]);
  registry = await serveImages();
});
afterAll(async () => {
  file.remove();
  await registry.close();
});

const LODASH = { path: 'node_modules/lodash/package.json', content: '{"name":"lodash","version":"4.17.15"}' };

function memoryBytes(): LayerBytes & { readonly kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    get: (digest) => Promise.resolve(kept.get(digest)),
    put: (digest, bytes) => {
      kept.set(digest, bytes);
      return Promise.resolve();
    },
  };
}

function scan(
  image: TestImage,
  options: Partial<ScanProcessOptions> = {},
): ReturnType<typeof runScanProcess> {
  registry.add(image);
  return runScanProcess(
    {
      registry: registry.address,
      plainHttp: true,
      repository: 'team/app',
      digest: image.digest,
      token: 'a-token',
      advisoriesPath: file.path,
    },
    { layers: memoryBytes(), logger: silentLogger(), ...options },
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 50 && isAlive(pid); tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return !isAlive(pid);
}

describe('a scan process', () => {
  it('hands back the reports and ends', async () => {
    let pid = 0;
    const reports = await scan(imageOf([[LODASH]]), { onStart: (started) => (pid = started) });
    expect(reports).toMatchObject([
      {
        status: 'finished',
        findings: [{ id: 'CVE-2021-23337', fixed: '4.17.21' }],
        advisories: { kind: 'file' },
      },
    ]);
    expect(pid).toBeGreaterThan(0);
    expect(await gone(pid)).toBe(true);
  });

  it('keeps layer results with the parent and does not pull a known layer again', async () => {
    const layers = memoryBytes();
    const image = imageOf([[LODASH, { path: 'x', content: randomBytes(8).toString('hex') }]]);
    const [first] = await scan(image, { layers });
    expect([...layers.kept.keys()]).toEqual(image.layers);
    const before = registry.requests.length;
    const [second] = await scan(image, { layers });
    expect(registry.requests.slice(before)).not.toContain(`blobs ${image.layers[0]}`);
    expect(second?.image?.layers.map((layer) => layer.cached)).toEqual([true]);
    expect(second?.findings).toEqual(first?.findings);
  });

  it('rejects with the code of what is wrong with the image', async () => {
    const image = imageOf([[{ path: 'x', content: randomBytes(8).toString('hex') }]]);
    const [layer = ''] = image.layers;
    const forged = Buffer.from(image.content.get(layer) ?? '');
    forged.writeUInt8(forged.readUInt8(9) ^ 0xff, 9);
    image.content.set(layer, forged);
    await expect(scan(image)).rejects.toMatchObject({ code: 'OCI_DIGEST_MISMATCH' });
    const absent = { ...imageOf([[{ path: 'absent' }]]), content: new Map<string, Buffer>() };
    await expect(scan(absent)).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
  });

  it('is ended above its memory limit', async () => {
    await expect(scan(imageOf([[LODASH]]), { memoryLimitBytes: 20 * MiB })).rejects.toMatchObject({
      code: 'SCAN_MEMORY_LIMIT',
    });
  });

  it('is ended after its time limit, and when the scan is cancelled', async () => {
    const slow = await serveImages();
    try {
      const image = imageOf([[{ path: 'slow' }]]);
      slow.add(image);
      slow.stall();
      const stalled = (options: Partial<ScanProcessOptions>): ReturnType<typeof runScanProcess> =>
        runScanProcess(
          { registry: slow.address, plainHttp: true, repository: 'a', digest: image.digest },
          { layers: memoryBytes(), logger: silentLogger(), ...options },
        );
      await expect(stalled({ timeLimitMs: 1_500 })).rejects.toMatchObject({ code: 'SCAN_TIME_LIMIT' });
      let pid = 0;
      const signal = AbortSignal.timeout(800);
      await expect(stalled({ signal, onStart: (started) => (pid = started) })).rejects.toMatchObject({
        code: 'SCAN_CANCELLED',
      });
      expect(await gone(pid)).toBe(true);
    } finally {
      await slow.close();
    }
  });

  it('is reported when it is killed', async () => {
    const killed = scan(imageOf([[LODASH]]), { onStart: (pid) => process.kill(pid, 'SIGKILL') });
    await expect(killed).rejects.toMatchObject({ code: 'SCAN_PROCESS_ENDED' });
  });

  it('ends with its parent', async () => {
    const parent = `
      const { fork } = require('node:child_process');
      const child = fork(${JSON.stringify(scanProcessPath())}, [], { serialization: 'advanced', stdio: 'ignore' });
      child.once('spawn', () => { console.log(child.pid); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 700); });`;
    let output = '';
    try {
      execFileSync(process.execPath, ['-e', parent], { encoding: 'utf8' });
    } catch (error) {
      output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    }
    const pid = Number(output.trim());
    expect(pid).toBeGreaterThan(0);
    expect(await gone(pid)).toBe(true);
  });
});

describe.skipIf(process.platform !== 'linux')('resident memory (skipped without /proc)', () => {
  it('is read of this process, and of no process that has gone', async () => {
    expect(await residentBytes(process.pid)).toBeGreaterThan(20 * MiB);
    expect(await residentBytes(2 ** 22 + 1)).toBeUndefined();
  });
});
