// One image by every road gives the same findings; SBOM, report and VEX hang on it in registries with and without referrers API.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findTool } from '../../scripts/tools.ts';
import { OCI_EMPTY, OCI_IMAGE_MANIFEST, RegistryClient, type RegistryCredential } from '../oci/index.ts';
import { openTestRegistry } from '../registry/testing.ts';
import { buildSampleImage } from './sample-image.ts';
import { recordedRun } from './testing/recorded-run.ts';
import { writeSampleLayout } from './testing/sample-layout.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-attach-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const environment: NodeJS.ProcessEnv = {
  XDG_CACHE_HOME: join(folder, 'cache'),
  DOCKER_CONFIG: join(folder, 'docker'),
  HOME: folder,
};
const shape = z.object({
  findings: z.array(
    z.looseObject({ id: z.string(), state: z.string(), purl: z.string(), installed: z.string() }),
  ),
});

async function findings(target: string, ...more: string[]) {
  const { code, out, err } = await recordedRun(
    ['scan', target, '--quiet', '-o', 'json', ...more],
    environment,
  );
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return shape.parse(JSON.parse(out)).findings;
}

interface Place {
  readonly host: string;
  readonly credential: RegistryCredential | null;
  close(): Promise<void>;
}

async function ownRegistry(): Promise<Place> {
  const test = await openTestRegistry();
  const auth = Buffer.from(`${test.username}:${test.password}`).toString('base64');
  const host = `127.0.0.1:${test.port}`;
  mkdirSync(join(folder, 'docker'), { recursive: true });
  writeFileSync(join(folder, 'docker', 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  const credential = { kind: 'basic', username: test.username, password: test.password } as const;
  return { host, credential, close: () => test.close() };
}

async function debianRegistry(): Promise<Place> {
  const probe = createServer();
  const port = await new Promise<number>((resolve) => {
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => probe.close(resolve));
  const host = `127.0.0.1:${port}`;
  const file = join(folder, 'registry.yml');
  const storage = `{filesystem: {rootdirectory: ${folder}/data}}`;
  writeFileSync(file, `{version: 0.1, storage: ${storage}, http: {addr: "${host}"}}`);
  const child: ChildProcess = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
  };
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await new RegistryClient(host).check();
      break;
    } catch {
      await sleep(50);
    }
  }
  return { host, credential: null, close };
}

const noTools = ['skopeo', 'tar'].filter((tool) => findTool(tool) === undefined);

describe.skipIf(noTools.length > 0)(
  `one image by every road${noTools.length > 0 ? ` (skipped: no ${noTools.join()})` : ''}`,
  () => {
    it('gives the same findings', async () => {
      const layout = join(folder, 'layout');
      writeSampleLayout(layout, 'latest');
      const archive = join(folder, 'image.tar');
      execFileSync(findTool('skopeo') ?? '', [
        'copy',
        '-q',
        `oci:${layout}:latest`,
        `docker-archive:${archive}:sample:1`,
      ]);
      const root = join(folder, 'root');
      mkdirSync(root);
      buildSampleImage().layers.forEach((layer, index) => {
        const file = join(folder, `layer${index}.tar.gz`);
        writeFileSync(file, layer.bytes);
        execFileSync(findTool('tar') ?? '', ['-xf', file, '-C', root, '--no-same-owner']);
      });
      const sbom = join(folder, 'sbom.json');
      await recordedRun(['scan', `oci:${layout}`, '--quiet', '-o', `cyclonedx=${sbom}`], environment);
      const key = (list: Awaited<ReturnType<typeof findings>>): string[] =>
        list
          .map(({ id, purl, installed, path, fixed }) => JSON.stringify([id, purl, installed, path, fixed]))
          .toSorted();
      const expected = key(await findings(`oci:${layout}`));
      expect(expected.length).toBeGreaterThan(10);
      for (const target of [`docker-archive:${archive}`, `dir:${root}`, `sbom:${sbom}`]) {
        expect([target, key(await findings(target))]).toEqual([target, expected]);
      }
    });
  },
);

const noDebian = findTool('docker-registry') === undefined;

describe.each([
  ['our own registry', ownRegistry, false],
  [
    `docker-registry, without referrers API${noDebian ? ' (skipped: it is not installed)' : ''}`,
    debianRegistry,
    noDebian,
  ],
] as const)('attachments in %s', (_name, open, missing) => {
  let place: Place;
  let client: RegistryClient;
  let target = '';
  let digest: Awaited<ReturnType<RegistryClient['pushManifest']>>;
  beforeAll(async () => {
    if (missing) return;
    place = await open();
    client = new RegistryClient(place.host, { credential: place.credential });
    const image = buildSampleImage();
    for (const blob of [...image.layers, image.config]) await client.pushBlob('shop/cart', blob.bytes);
    digest = await client.pushManifest('shop/cart', '1.0', {
      bytes: image.manifest,
      mediaType: image.mediaType,
    });
    target = `${place.host}/shop/cart:1.0`;
  }, 120_000);
  afterAll(() => place?.close());

  it.skipIf(missing)('are pushed once, and are what was found', async () => {
    const first = await recordedRun(['scan', target, '--attach', 'sbom,report', '-o', 'json'], environment);
    expect(first.code).toBe(0);
    expect(first.err.match(/attached as sha256:/g)?.length).toBe(2);
    const again = await recordedRun(['scan', target, '--attach', 'report,sbom', '-o', 'json'], environment);
    expect(again.err.match(/attached already as sha256:/g)?.length).toBe(2);
    const attached = await client.referrers('shop/cart', digest);
    expect(attached.map((one) => one.artifactType).toSorted()).toEqual([
      'application/sarif+json',
      'application/vnd.cyclonedx+json',
    ]);
    const sbom = attached.find((one) => one.artifactType === 'application/vnd.cyclonedx+json');
    const manifest = z
      .object({
        subject: z.object({ digest: z.string() }),
        layers: z.array(z.object({ digest: z.string(), size: z.number() })),
      })
      .parse(JSON.parse((await client.manifest('shop/cart', sbom?.digest ?? '')).bytes.toString()));
    expect(manifest.subject.digest).toBe(digest);
    const [layer] = manifest.layers;
    const content: Buffer[] = [];
    for await (const chunk of client.blob('shop/cart', { digest, size: 0, ...layer } as {
      digest: typeof digest;
      size: number;
    }))
      content.push(chunk as Buffer);
    const file = join(folder, 'attached.json');
    writeFileSync(file, Buffer.concat(content));
    expect((await findings(`sbom:${file}`)).length).toBe((await findings(target)).length);
  });

  it.skipIf(missing)('take VEX documents into account only when asked', async () => {
    const vex = {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      author: 'Shop',
      statements: [
        {
          vulnerability: { name: 'CVE-2020-8203' },
          products: [{ '@id': 'pkg:npm/lodash' }],
          status: 'not_affected',
          justification: 'vulnerable_code_not_present',
        },
      ],
    };
    const layer = await client.pushBlob('shop/cart', Buffer.from(JSON.stringify(vex)));
    const config = await client.pushBlob('shop/cart', Buffer.from('{}'));
    const image = await client.manifest('shop/cart', digest);
    const artifactType = 'application/vnd.openvex+json';
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_IMAGE_MANIFEST,
      artifactType,
      config: { mediaType: OCI_EMPTY, ...config },
      layers: [{ mediaType: artifactType, ...layer }],
      subject: { mediaType: image.mediaType, digest, size: image.bytes.length },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const pushed = await client.pushManifest('shop/cart', null, { bytes, mediaType: OCI_IMAGE_MANIFEST });
    const known = await client.referrers('shop/cart', digest);
    if (!known.some((one) => one.digest === pushed)) {
      const entry = { mediaType: OCI_IMAGE_MANIFEST, digest: pushed, size: bytes.length, artifactType };
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      const index = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType, manifests: [...known, entry] }),
      );
      await client.pushManifest('shop/cart', digest.replace(':', '-'), { bytes: index, mediaType });
    }
    const states = async (...more: string[]): Promise<string[]> =>
      (await findings(target, ...more)).filter(({ id }) => id === 'CVE-2020-8203').map(({ state }) => state);
    expect(await states()).toEqual(['open']);
    expect(await states('--vex-from-registry')).toEqual(['exempt']);
  });
});

it('refuses to attach to what is in no registry', async () => {
  const file = join(folder, 'none');
  expect((await recordedRun(['scan', `dir:${file}`, '--attach', 'sbom'], environment)).code).toBe(2);
  expect((await recordedRun(['scan', 'localhost/a', '--attach', 'sbomb'], environment)).code).toBe(2);
  expect(() => readFileSync(file)).toThrow();
});
