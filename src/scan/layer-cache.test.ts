// Layer results on disk and in bytes: round trips, damage, versions, size bound.
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogerVersions } from './catalogers.ts';
import { fileLayerCache } from './layer-cache.ts';
import { decodeLayerResult, encodeLayerResult } from './layer-encoding.ts';
import { catalogEntries } from './testing.ts';
import type { LayerResult } from './types.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;

function result(name = 'lodash'): LayerResult {
  const contents = catalogEntries([
    {
      path: `node_modules/${name}/package.json`,
      content: JSON.stringify({ name, version: '1.0.0', license: 'MIT' }),
    },
    { path: 'var/lib/dpkg/status', content: 'Package: a\nVersion: 1\nSource: s (2)\n\nVersion: 2' },
    { path: 'etc/os-release', content: 'ID=debian' },
  ]);
  const sizes = { size: 10, uncompressedSize: 20, complete: true, diffId: DIGEST };
  return { catalogers: catalogerVersions, ...sizes, ...contents, owned: { __proto__x: 'a', 'b/c': 'd' } };
}

describe('layer results as bytes', () => {
  it('come back as they went', () => {
    expect(decodeLayerResult(encodeLayerResult(result()))).toEqual(result());
  });

  it('are refused when damaged, incomplete or of other catalogers', () => {
    const bytes = encodeLayerResult(result());
    expect(decodeLayerResult(bytes.subarray(0, -1))).toBeUndefined();
    expect(decodeLayerResult(zstdCompressSync('{}'))).toBeUndefined();
    expect(decodeLayerResult(encodeLayerResult({ ...result(), catalogers: 'dpkg@0' }))).toBeUndefined();
    expect(decodeLayerResult(encodeLayerResult({ ...result(), complete: false }))).toBeUndefined();
  });

  it('never throw, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect(decodeLayerResult(bytes)).toBeUndefined()));
    fc.assert(
      fc.property(
        fc.json(),
        (text) => void expect(decodeLayerResult(zstdCompressSync(text))).toBeUndefined(),
      ),
    );
  });
});

describe('the file cache', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'breakwater-layers-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('remembers across instances, readable by this user only', async () => {
    const folder = join(directory, 'new', 'layers');
    expect(await fileLayerCache(folder).get(DIGEST)).toBeUndefined();
    await fileLayerCache(folder).put(DIGEST, result());
    expect(await fileLayerCache(folder).get(DIGEST)).toEqual(result());
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const [name = ''] = await readdir(folder);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  it('ignores a damaged entry and writes it anew', async () => {
    const cache = fileLayerCache(directory);
    await cache.put(DIGEST, result());
    const [name = ''] = await readdir(directory);
    const file = join(directory, name);
    await writeFile(file, (await readFile(file)).subarray(0, 20));
    expect(await cache.get(DIGEST)).toBeUndefined();
    await cache.put(DIGEST, result());
    expect(await cache.get(DIGEST)).toEqual(result());
  });

  it('keeps nothing under a key that is no digest', async () => {
    const cache = fileLayerCache(join(directory, 'a'));
    for (const key of ['../escape', 'sha256:short', `${DIGEST}/..`]) {
      await cache.put(key, result());
      expect(await cache.get(key)).toBeUndefined();
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it('drops what was unused the longest above its limit', async () => {
    const size = encodeLayerResult(result()).length;
    const cache = fileLayerCache(directory, size * 2 + 50);
    const keys = ['1', '2', '3'].map((digit) => `sha256:${digit.repeat(64)}`);
    const [first = '', second = '', third = ''] = keys;
    await cache.put(first, result());
    await cache.put(second, result());
    const long = new Date(0);
    for (const name of await readdir(directory)) await utimes(join(directory, name), long, long);
    await cache.get(first);
    await cache.put(third, result());
    const kept = await Promise.all(keys.map(async (key) => (await cache.get(key)) !== undefined));
    expect(kept).toEqual([true, false, true]);
  });

  it('is only slower where the directory cannot be used', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const cache = fileLayerCache(join(file, 'below'));
    await cache.put(DIGEST, result());
    expect(await cache.get(DIGEST)).toBeUndefined();
  });
});
