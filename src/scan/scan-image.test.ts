// Whole scans from memory: layers, history, cache, indexes, artifacts, hostile images.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_LAYERS } from '../core/index.ts';
import { ociErrors } from '../oci/index.ts';
import { memoryLayerCache } from './layer-cache.ts';
import { scanImage } from './scan-image.ts';
import type { ScanOptions } from './scan-options.ts';
import {
  affects,
  buildAdvisories,
  BUILT_AT,
  imageOf,
  indexOf,
  memorySource,
  sha256,
  tarOf,
  type TarEntry,
  type TestAdvisoryFile,
  type TestImage,
} from './testing.ts';

const LODASH: TarEntry = {
  path: 'app/node_modules/lodash/package.json',
  content: '{"name":"lodash","version":"4.17.15"}',
};
const DEBIAN: readonly TarEntry[] = [
  { path: 'etc', type: 'directory' },
  { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID=12\n' },
  { path: 'var/lib/dpkg/status', content: 'Package: a\nVersion: 1\n' },
];

let file: TestAdvisoryFile;
beforeAll(async () => {
  file = await buildAdvisories([{ id: 'CVE-2021-23337', affected: [affects('npm', 'lodash', '4.17.21')] }]);
});
afterAll(() => file.remove());

function options(more: Partial<ScanOptions> = {}): ScanOptions {
  const clock = { now: () => BUILT_AT + 90 * 60_000 };
  return { advisories: file.advisories, cache: memoryLayerCache(), clock, ...more };
}

describe('scanning an image', () => {
  it('reports packages, findings, layers and the advisories they were made with', async () => {
    const history = [
      { created_by: 'ADD rootfs' },
      { created_by: 'ENV A=b', empty_layer: true },
      { created_by: 'RUN npm install' },
    ];
    const image = imageOf([DEBIAN, [LODASH]], { history });
    const [report] = await scanImage(memorySource(image), options());
    expect(report).toMatchObject({
      status: 'finished',
      image: { digest: image.digest, platform: 'linux/amd64', created: '2026-01-02T03:04:05Z' },
      distribution: { id: 'debian', versionId: '12' },
      advisories: { kind: 'file', ageHours: 1.5, digest: file.advisories.info.digest },
      problems: [],
    });
    expect(report?.image?.layers.map(({ instruction, cached }) => [instruction, cached])).toEqual([
      ['ADD rootfs', false],
      ['RUN npm install', false],
    ]);
    expect(report?.packages.map(({ purl, layer }) => [purl, layer])).toEqual([
      ['pkg:deb/debian/a@1?distro=debian-12', 0],
      ['pkg:npm/lodash@4.17.15', 1],
    ]);
    expect(report?.findings).toMatchObject([
      { id: 'CVE-2021-23337', fixed: '4.17.21', layer: 1, layerDigest: image.layers[1] },
    ]);
    expect(report?.advisories.notices).toEqual([
      'no advisories for debian: its 1 dpkg packages are listed, not matched',
    ]);
  });

  it('reads a known layer from the cache, also in another image, and gives the same result', async () => {
    const cache = memoryLayerCache();
    const [first] = await scanImage(memorySource(imageOf([DEBIAN, [LODASH]])), options({ cache }));
    const other = memorySource(imageOf([DEBIAN, [LODASH]]));
    const [second] = await scanImage(other, options({ cache }));
    expect(second?.image?.layers.map((layer) => layer.cached)).toEqual([true, true]);
    expect(second?.packages).toEqual(first?.packages);
    expect(second?.findings).toEqual(first?.findings);
    expect([...other.reads.keys()]).toHaveLength(1);
  });

  it('never believes the diffIDs of the configuration', async () => {
    const cache = memoryLayerCache();
    await scanImage(memorySource(imageOf([DEBIAN])), options({ cache }));
    const claimed = imageOf([[LODASH]], { diffIds: [sha256(tarOf(DEBIAN))] });
    const [report] = await scanImage(memorySource(claimed), options({ cache }));
    expect(report?.packages.map((item) => item.name)).toEqual(['lodash']);
    expect(report?.problems.map((problem) => problem.code)).toEqual(['SCAN_DIFF_ID_MISMATCH']);
    const [fewer] = await scanImage(memorySource(imageOf([[LODASH]], { diffIds: [] })), options());
    expect(fewer?.problems.map((problem) => problem.code)).toEqual(['SCAN_DIFF_ID_MISMATCH']);
  });

  it('fails on a layer whose bytes are not those of its digest, and remembers nothing of it', async () => {
    const image = imageOf([DEBIAN, [LODASH]]);
    const [, top = image.digest] = image.layers;
    const forged = imageOf([[{ ...LODASH, content: '{"name":"clean","version":"1.0.0"}' }]]);
    const [replacement = forged.digest] = forged.layers;
    image.content.set(top, forged.content.get(replacement) ?? Buffer.alloc(0));
    const cache = memoryLayerCache();
    const failure = await scanImage(memorySource(image), options({ cache })).catch((error: unknown) => error);
    expect(ociErrors.is(failure)).toBe(true);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^OCI_(DIGEST|SIZE)_MISMATCH$/) });
    expect(await cache.get(top)).toBeUndefined();
  });

  it('scans every image of an index, or the wanted platform, and passes over attestations', async () => {
    const amd = imageOf([[LODASH]]);
    const arm = imageOf([DEBIAN], { platform: { os: 'linux', architecture: 'arm64' } });
    const attestation = imageOf([[]], { layerMediaType: 'application/vnd.in-toto+json' });
    const index = indexOf([
      { image: amd, os: 'linux', architecture: 'amd64' },
      { image: arm, os: 'linux', architecture: 'arm64' },
      { image: attestation, os: 'unknown', architecture: 'unknown' },
    ]);
    const platforms = (reports: Awaited<ReturnType<typeof scanImage>>): unknown[] =>
      reports.map((report) => report.image?.platform);
    expect(platforms(await scanImage(memorySource(index), options()))).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
    const arm64 = options({ platform: 'linux/arm64' });
    expect(platforms(await scanImage(memorySource(index), arm64))).toEqual(['linux/arm64']);
    expect(platforms(await scanImage(memorySource(arm), arm64))).toEqual(['linux/arm64']);
    for (const image of [index, amd]) {
      await expect(
        scanImage(memorySource(image), options({ platform: 'linux/s390x' })),
      ).rejects.toMatchObject({
        code: 'SCAN_NO_SUCH_PLATFORM',
      });
    }
    const [alone] = await scanImage(memorySource(attestation), options());
    expect(alone).toMatchObject({ status: 'unscannable', findings: [] });
    expect(alone?.reason).toContain('application/vnd.in-toto+json');
  });

  it('calls an artifact unscannable and says why', async () => {
    const image = imageOf([[LODASH]]);
    const text = image.manifest.toString().replace('vnd.oci.image.config.v1', 'vnd.cncf.helm.config.v1');
    const manifest = Buffer.from(text);
    const artifact: TestImage = { ...image, manifest, digest: sha256(manifest) };
    const [report] = await scanImage(memorySource(artifact), options());
    expect(report).toMatchObject({ status: 'unscannable', packages: [] });
    expect(report?.reason).toContain('helm');
  });

  it('never looks clean: an image without packages says that nothing was matched', async () => {
    const [report] = await scanImage(memorySource(imageOf([[{ path: 'bin/app', content: 'x' }]])), options());
    expect(report?.advisories.notices).toEqual(['no packages were found: there was nothing to match']);
    const fedora = [{ path: 'etc/os-release', content: 'ID=fedora\nPRETTY_NAME="Fedora 40"\n' }];
    const [rpm] = await scanImage(memorySource(imageOf([fedora])), options());
    expect(rpm?.advisories.notices[0]).toContain(
      'no package database that can be read was found in Fedora 40',
    );
  });

  it('refuses more layers than any runtime mounts', async () => {
    const image = imageOf([[LODASH]]);
    const document: unknown = JSON.parse(image.manifest.toString());
    if (typeof document !== 'object' || document === null || !('layers' in document))
      throw new Error('no layers');
    const layer = Array.isArray(document.layers) ? (document.layers[0] as unknown) : undefined;
    const layers = Array.from({ length: MAX_LAYERS + 1 }, () => layer);
    const manifest = Buffer.from(JSON.stringify({ ...document, layers }));
    const hostile: TestImage = { ...image, manifest, digest: sha256(manifest) };
    await expect(scanImage(memorySource(hostile), options())).rejects.toMatchObject({
      code: expect.stringMatching(/^(SCAN_TOO_MANY_LAYERS|OCI_MANIFEST_INVALID)$/),
    });
  });

  it('reads the same layer once, however often the image names it', async () => {
    const source = memorySource(imageOf([[LODASH], [LODASH], [LODASH]]));
    const [report] = await scanImage(source, options());
    expect(report?.packages.map((item) => item.layer)).toEqual([2]);
    expect(Math.max(...source.reads.values())).toBe(1);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(scanImage(memorySource(imageOf([[LODASH]])), options({ signal }))).rejects.toThrow();
  });
});
