// Image sources and layers against real tools: tar in its formats, umoci, skopeo. Skipped where they are missing.
import { execFile, spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  digestHex,
  digestOf,
  type ImageManifest,
  type ImageSource,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  openDockerArchive,
  openOciLayout,
  parseImageConfig,
  parseManifest,
  readLayer,
} from '../index.ts';
import { RecordingVisitor } from '../testing/recording-visitor.ts';
import { tarArchive, tarFile, tarHeader } from '../testing/tar-writer.ts';

const run = promisify(execFile);

/** The first of these programs that is not installed, or undefined. */
function missingProgram(...names: string[]): string | undefined {
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined);
}

async function runProgram(name: string, args: string[]): Promise<string> {
  return (await run(name, args, { maxBuffer: 64 << 20 })).stdout;
}

const noTar = missingProgram('tar');
const noTools = missingProgram('umoci', 'skopeo');
const unless = (missing: string | undefined): string => (missing ? ` (skipped: no ${missing} here)` : '');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-oci-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function content(
  source: ImageSource,
): Promise<{ manifest: ImageManifest; files: Map<string, string | null> }> {
  const root = await source.root();
  expect(digestOf(root.bytes)).toBe(root.digest);
  const manifest = parseManifest(root.bytes, root.mediaType);
  if (manifest.kind !== 'image') throw new Error('an image was expected');
  const chunks: Buffer[] = [];
  for await (const chunk of await source.blob(manifest.config)) chunks.push(chunk as Buffer);
  const config = parseImageConfig(Buffer.concat(chunks));
  const files = new Map<string, string | null>();
  for (const [index, layer] of manifest.layers.entries()) {
    const visitor = new RecordingVisitor();
    const summary = await readLayer(await source.blob(layer), layer.mediaType, visitor);
    expect(summary).toMatchObject({
      problems: [],
      complete: true,
      diffId: config.diffIds[index],
      size: layer.size,
    });
    for (const entry of visitor.entries) files.set(entry.path, entry.content);
  }
  return { manifest, files };
}

describe.skipIf(noTar)(`layers written by tar${unless(noTar)}`, () => {
  it.each(['gnu', 'oldgnu', 'pax', 'posix', 'ustar', 'v7'])(
    'reads format %s as tar lists it',
    async (format) => {
      const tree = join(folder, `tree-${format}`);
      const deep = join('d'.repeat(40), format === 'v7' ? 'e'.repeat(40) : 'e'.repeat(90));
      await mkdir(join(tree, deep), { recursive: true });
      await writeFile(join(tree, deep, 'file'), format);
      if (format !== 'v7') await writeFile(join(tree, deep, 'nämé'), 'unicode');
      await symlink(join('/', 'd'.repeat(60)), join(tree, 'link'));
      if (['gnu', 'oldgnu', 'pax', 'posix'].includes(format)) {
        await writeFile(join(tree, deep, 'n'.repeat(200)), 'long name');
        await symlink('t'.repeat(150), join(tree, 'long-link'));
      }
      const archive = join(folder, `${format}.tar`);
      await runProgram('tar', ['-C', tree, `--format=${format}`, '-cf', archive, '.']);
      const visitor = new RecordingVisitor();
      const summary = await readLayer(createReadStream(archive), OCI_LAYER, visitor);
      const listed = await runProgram('tar', ['--quoting-style=literal', '-tf', archive]);
      const expected = listed.split('\n').map((line) => line.replace(/^\.\//, '').replace(/\/$/, ''));
      expect(visitor.paths().sort()).toEqual(expected.filter((path) => path !== '').sort());
      expect(summary).toMatchObject({
        problems: [],
        complete: true,
        diffId: digestOf(await readFile(archive)),
      });
      expect(visitor.entries.find(({ path }) => path === join(deep, 'file'))?.content).toBe(format);
    },
  );
});

describe.skipIf(noTools)(`images written by umoci and skopeo${unless(noTools)}`, () => {
  let layout = '';

  beforeAll(async () => {
    layout = join(folder, 'layout');
    const file = join(folder, 'inserted');
    await writeFile(file, 'inserted by umoci');
    await runProgram('umoci', ['init', '--layout', layout]);
    await runProgram('umoci', ['new', '--image', `${layout}:base`]);
    for (const [tag, path] of [
      ['one', '/etc/first'],
      ['two', '/etc/second'],
    ]) {
      const image = `${layout}:${tag === 'one' ? 'base' : 'one'}`;
      await runProgram('umoci', [
        'insert',
        '--rootless',
        '--image',
        image,
        '--tag',
        `${tag}`,
        file,
        `${path}`,
      ]);
    }
    await runProgram('umoci', [
      'insert',
      '--rootless',
      '--image',
      `${layout}:two`,
      '--tag',
      'three',
      '--whiteout',
      '/etc/first',
    ]);
  });

  it('are read from the layout by tag and by digest', async () => {
    const source = await openOciLayout(layout, { tag: 'two' });
    const { manifest, files } = await content(source);
    expect(manifest.layers).toHaveLength(2);
    expect(files.get('etc/second')).toBe('inserted by umoci');
    const { digest } = await source.root();
    expect((await (await openOciLayout(layout, { digest })).root()).digest).toBe(digest);
    const whiteout = await content(await openOciLayout(layout, { tag: 'three' }));
    expect([...whiteout.files.keys()]).toContain('etc/.wh.first');
  });

  it.each(['docker-archive', 'oci'])(
    'are read from a copy by skopeo as %s to the same files',
    async (kind) => {
      const copy = join(folder, `copy-${kind}`);
      const name = kind === 'oci' ? ':v1' : ':example.test/app:v1';
      await runProgram('skopeo', [
        'copy',
        '--insecure-policy',
        `oci:${layout}:two`,
        `${kind}:${copy}${name}`,
      ]);
      const source =
        kind === 'oci'
          ? await openOciLayout(copy)
          : await openDockerArchive(copy, { reference: 'example.test/app:v1' });
      const original = await content(await openOciLayout(layout, { tag: 'two' }));
      const copied = await content(source);
      expect(copied.files).toEqual(original.files);
      await source.close();
      if (kind === 'oci') return;
      const byTag = await openDockerArchive(copy, { reference: 'v1' });
      await byTag.close();
      await expect(openDockerArchive(copy, { reference: 'v2' })).rejects.toMatchObject({
        code: 'OCI_NOT_FOUND',
      });
    },
  );

  it('must be named when there are several', async () => {
    await expect(openOciLayout(layout)).rejects.toMatchObject({ code: 'OCI_IMAGE_AMBIGUOUS', exit: 2 });
    await expect(openOciLayout(layout, { tag: 'none' })).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
  });

  it('fail with a code when a blob is changed, cut, longer or gone', async () => {
    const broken = join(folder, 'broken');
    const damage = async (change: (path: string) => Promise<void>): Promise<unknown> => {
      await rm(broken, { recursive: true, force: true });
      await cp(layout, broken, { recursive: true });
      const source = await openOciLayout(broken, { tag: 'one' });
      const root = await source.root();
      const manifest = parseManifest(root.bytes, root.mediaType);
      const layer = manifest.kind === 'image' ? manifest.layers[0] : undefined;
      if (!layer) throw new Error('a layer was expected');
      await change(join(broken, 'blobs', 'sha256', digestHex(layer.digest)));
      return source.blob(layer).then((stream) => readLayer(stream, layer.mediaType, new RecordingVisitor()));
    };
    const swap = async (path: string): Promise<void> => {
      const bytes = await readFile(path);
      await writeFile(path, gzipSync(Buffer.alloc(50)).subarray(0, bytes.length));
      await truncate(path, bytes.length);
    };
    await expect(damage(swap)).rejects.toMatchObject({ code: 'OCI_DIGEST_MISMATCH' });
    await expect(damage((path) => truncate(path, 30))).rejects.toMatchObject({ code: 'OCI_SIZE_MISMATCH' });
    await expect(damage((path) => writeFile(path, 'more', { flag: 'a' }))).rejects.toMatchObject({
      code: 'OCI_SIZE_MISMATCH',
    });
    await expect(damage((path) => rm(path))).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
  });
});

describe('what is no image', () => {
  it('is refused as a layout', async () => {
    const plain = join(folder, 'plain');
    await mkdir(plain);
    const invalid = { code: 'OCI_LAYOUT_INVALID' };
    await expect(openOciLayout(join(folder, 'nowhere'))).rejects.toMatchObject(invalid);
    await expect(openOciLayout(plain)).rejects.toMatchObject(invalid);
    await writeFile(join(plain, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await expect(openOciLayout(plain)).rejects.toMatchObject(invalid);
    const climbing = { mediaType: OCI_LAYER, digest: 'sha256:../../../etc/passwd', size: 1 };
    await writeFile(join(plain, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [climbing] }));
    await expect(openOciLayout(plain)).rejects.toMatchObject(invalid);
    await writeFile(join(plain, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [] }));
    await expect(openOciLayout(plain)).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
  });

  it('is refused as an archive', async () => {
    const path = join(folder, 'archive.tar');
    const attempt = async (bytes: Buffer): Promise<unknown> => {
      await writeFile(path, bytes);
      return openDockerArchive(path).then((source) => source.close());
    };
    const list = (value: unknown): Buffer => tarFile('manifest.json', JSON.stringify(value));
    const image = { Config: 'config.json', RepoTags: null, Layers: ['layer.tar'] };
    const whole = tarArchive(list([image]), tarFile('config.json', '{}'), tarFile('layer.tar', tarArchive()));
    await expect(attempt(whole)).resolves.toBeUndefined();
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('no tar'.repeat(200)),
      gzipSync(whole),
      whole.subarray(0, 600),
      tarArchive(tarFile('other', '')),
      tarArchive(tarFile('manifest.json', 'not json')),
      tarArchive(list({})),
      tarArchive(list([{ Config: 1 }])),
      tarArchive(list([image])),
      tarArchive(list([image]), tarHeader({ name: 'config.json', type: '2', linkName: 'config.json' })),
      tarArchive(list([{ ...image, Config: '../../etc/passwd' }])),
    ]) {
      await expect(attempt(bytes)).rejects.toMatchObject({ code: 'OCI_ARCHIVE_INVALID' });
    }
    await expect(attempt(tarArchive(list([])))).rejects.toMatchObject({ code: 'OCI_NOT_FOUND' });
    const twice = tarArchive(list([image, image]), tarFile('config.json', '{}'), tarFile('layer.tar', ''));
    await expect(attempt(twice)).rejects.toMatchObject({ code: 'OCI_IMAGE_AMBIGUOUS' });
  });

  it('keeps layers that are links to others, as old docker versions wrote them', async () => {
    const path = join(folder, 'linked.tar');
    const layer = gzipSync(tarArchive(tarFile('etc/shared', 'x')));
    const image = { Config: 'c.json', RepoTags: ['app:1'], Layers: ['a/layer.tar', 'b/layer.tar'] };
    await writeFile(
      path,
      tarArchive(
        tarFile('a/layer.tar', layer),
        tarHeader({ name: 'b/layer.tar', type: '2', linkName: '../a/layer.tar' }),
        tarFile('c.json', '{"rootfs":{"diff_ids":[]}}'),
        tarFile('manifest.json', JSON.stringify([image])),
      ),
    );
    const source = await openDockerArchive(path, { reference: 'docker.io/library/app:1' });
    const root = await source.root();
    expect(parseManifest(root.bytes, root.mediaType)).toMatchObject({
      layers: [
        { mediaType: OCI_LAYER_GZIP, digest: digestOf(layer), size: layer.length },
        { mediaType: OCI_LAYER_GZIP, digest: digestOf(layer), size: layer.length },
      ],
    });
    await source.close();
  });
});
