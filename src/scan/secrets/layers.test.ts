// Secrets through a whole scan: every layer, removals, archives, ownership, configuration, the layer cache.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryLayerCache } from '../layer-cache.ts';
import { scanImage } from '../scan-image.ts';
import {
  affects,
  buildAdvisories,
  imageOf,
  memorySource,
  tarOf,
  type TarEntry,
  type TestAdvisoryFile,
} from '../testing.ts';
import type { ScanReport } from '../types.ts';

const TOKEN = 'glpat-aB3dE6gH9jK2mN5pQ8rS';
const OTHER = 'glpat-Zx9Yw8Vu7Ts6Rq5Po4Nm';
const file = (path: string, token = TOKEN): TarEntry => ({ path, content: `a\nkey=${token}\n` });

let data: TestAdvisoryFile;
beforeAll(async () => {
  data = await buildAdvisories([{ id: 'TEST-1', affected: [affects('npm', 'nothing', '1.0.0')] }]);
});
afterAll(() => data.remove());

async function scan(
  layers: readonly (readonly TarEntry[])[],
  more: { secrets?: boolean; history?: readonly { created_by: string; empty_layer?: boolean }[] } = {},
  cache = memoryLayerCache(),
): Promise<ScanReport> {
  const { secrets = true, history } = more;
  const image = imageOf(layers, history === undefined ? {} : { history });
  const clock = { now: () => 0 };
  const [report] = await scanImage(memorySource(image), {
    advisories: data.advisories,
    cache,
    clock,
    secrets,
  });
  if (report === undefined) throw new Error('no report');
  return report;
}

async function places(layers: readonly (readonly TarEntry[])[]): Promise<string[]> {
  const { secrets = [] } = await scan(layers);
  return secrets.map(
    (one) => `${one.path}:${one.line} in ${one.layer} removed ${one.removedInLayer ?? 'never'}`,
  );
}

describe('what is not searched', () => {
  const partial = async (entry: TarEntry): Promise<string[]> =>
    (await scan([[entry]])).problems
      .filter(({ code }) => code === 'SCAN_SECRETS_PARTIAL')
      .map(({ message }) => message);

  it('is said: UTF-16 text, damaged archives, archives too large to open', async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('key=value', 'utf16le')]);
    expect(await partial({ path: 'srv/a.txt', content: utf16 })).toEqual([
      'could not search for secrets: text in UTF-16 is not read',
    ]);
    const cut = gzipSync(Buffer.alloc(5_000, 'secret words ')).subarray(0, 40);
    expect(await partial({ path: 'srv/a.tar.gz', content: cut })).toEqual([
      'could not search for secrets: not searched in the archive: damaged, or inflates to more than 32 MiB',
    ]);
    expect(await partial({ path: 'srv/a.zip', content: Buffer.alloc(9 << 20, 1) })).toEqual([
      'could not search for secrets: archives above 8 MiB are not opened',
    ]);
    expect(await partial(file('srv/plain.txt'))).toEqual([]);
  });
});

describe('secrets of an image', () => {
  it('are found in every layer, removed or not', async () => {
    expect(await places([[file('a')], [{ path: '.wh.a' }], [file('b')]])).toEqual([
      'a:2 in 0 removed 1',
      'b:2 in 2 removed never',
    ]);
    expect(await places([[file('d/a')], [{ path: 'd/.wh..wh..opq' }]])).toEqual(['d/a:2 in 0 removed 1']);
    expect(await places([[file('d/a')], [{ path: 'x' }], [{ path: '.wh.d' }]])).toEqual([
      'd/a:2 in 0 removed 2',
    ]);
    expect(await places([[file('a')], [{ path: 'a', content: 'clean' }]])).toEqual(['a:2 in 0 removed 1']);
    expect(await places([[file('a')], [file('a', OTHER)]])).toEqual([
      'a:2 in 0 removed 1',
      'a:2 in 1 removed never',
    ]);
  });

  it('never carry their value', async () => {
    const report = await scan([[file('a')]]);
    expect(report.secrets).toMatchObject([
      { rule: 'gitlab-pat', masked: 'glpa******rS', severity: 'critical' },
    ]);
    expect(JSON.stringify(report)).not.toContain(TOKEN);
  });

  it('are found in small archives', async () => {
    const inner = tarOf([file('conf/app.env')]);
    expect(await places([[{ path: 'opt/app.tgz', content: gzipSync(inner) }]])).toEqual([
      'opt/app.tgz!/conf/app.env:2 in 0 removed never',
    ]);
  });

  it('are not looked for in binary files, media and unchanged files of packages', async () => {
    const owned = { path: 'var/lib/dpkg/info/shop.list', content: '/usr/lib/shop/key\n/etc/shop/key\n' };
    const status = {
      path: 'var/lib/dpkg/status',
      content: 'Package: shop\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
    };
    expect(
      await places([
        [
          file('etc/shop/key'),
          file('usr/lib/shop/key'),
          file('usr/lib/shop/other'),
          file('logo.png'),
          { path: 'bin', content: `\0${TOKEN}` },
          owned,
          status,
        ],
      ]),
    ).toEqual(['etc/shop/key:2 in 0 removed never', 'usr/lib/shop/other:2 in 0 removed never']);
  });

  it('are found in the history, with the layer the command made', async () => {
    const history = [
      { created_by: `ENV T=${TOKEN}`, empty_layer: true },
      { created_by: `RUN curl -H "PRIVATE-TOKEN: ${TOKEN}" x` },
    ];
    const { secrets = [] } = await scan([[{ path: 'x' }]], { history });
    expect(secrets.map(({ source, path, layer }) => [source, path, layer])).toEqual([
      ['history', 'history[0]', null],
      ['history', 'history[1]', 0],
    ]);
  });

  it('say nothing when they were not looked for, and read a layer again when they are', async () => {
    const cache = memoryLayerCache();
    const without = await scan([[file('a')]], { secrets: false }, cache);
    expect(without.secrets).toBeUndefined();
    const first = await scan([[file('a')]], {}, cache);
    expect([first.secrets?.length, first.image?.layers[0]?.cached]).toEqual([1, false]);
    const second = await scan([[file('a')]], {}, cache);
    expect([second.secrets?.length, second.image?.layers[0]?.cached]).toEqual([1, true]);
    const again = await scan([[file('a')]], { secrets: false }, cache);
    expect([again.secrets, again.image?.layers[0]?.cached]).toEqual([undefined, true]);
  });
});
