// The clients people use, against a real registry: skopeo, podman, buildah and oras log in, push, pull, list, copy and delete.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTool } from '../scripts/tools.ts';
import { openTestRegistry } from '../src/registry/testing.ts';
import type { TestRegistry } from '../src/registry/testing.ts';
import { run, runProgram } from './fixtures/program.ts';

const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

let test: TestRegistry;
let directory: string;
let host: string;

/** The program, or a name that says what is missing. */
function toolTest(program: string): { readonly skip: boolean; readonly note: string } {
  return findTool(program) === undefined
    ? { skip: true, note: ` (skipped: ${program} is not installed)` }
    : { skip: false, note: '' };
}

const skopeo = toolTest('skopeo');
const podman = toolTest('podman');
const buildah = toolTest('buildah');
const oras = toolTest('oras');
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  test = await openTestRegistry();
  directory = mkdtempSync(join(tmpdir(), 'breakwater-clients-'));
  host = `127.0.0.1:${test.port}`;
});

afterAll(async () => {
  await test?.close();
  // Files of images belong to other users inside the storage of podman and buildah.
  rmSync(directory, { recursive: true, force: true });
});

interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** Writes an OCI layout that holds one image of one file; resolves to its manifest digest. */
function writeLayout(path: string, tag: string): string {
  mkdirSync(join(path, 'blobs/sha256'), { recursive: true });
  const put = (bytes: Buffer): Blob => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(path, 'blobs/sha256', hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const tar = tarOf('hello.txt', randomBytes(20_000));
  const layer = put(gzipSync(tar));
  const config = put(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(tar).digest('hex')}`] },
      }),
    ),
  );
  const manifest = put(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: CONFIG, ...config },
        layers: [{ mediaType: LAYER, ...layer }],
      }),
    ),
  );
  writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(path, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { mediaType: MANIFEST, ...manifest, annotations: { 'org.opencontainers.image.ref.name': tag } },
      ],
    }),
  );
  return manifest.digest;
}

/** A tar archive of one file (POSIX ustar). */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('14524411000\0', 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([
    header,
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
    Buffer.alloc(1024),
  ]);
}

describe('skopeo', () => {
  const credential = (): string => `${test.username}:${test.password}`;

  it.skipIf(skopeo.skip)(
    `copies in, inspects, lists, copies on with a mount and deletes${skopeo.note}`,
    async () => {
      const layout = join(directory, 'skopeo');
      const digest = writeLayout(layout, 'v1');
      await run('skopeo', [
        'copy',
        '--dest-tls-verify=false',
        `--dest-creds=${credential()}`,
        `oci:${layout}:v1`,
        `docker://${host}/skopeo/app:v1`,
      ]);
      const read = ['--tls-verify=false', `--creds=${credential()}`];
      const raw = await run('skopeo', ['inspect', '--raw', ...read, `docker://${host}/skopeo/app:v1`]);
      expect(`sha256:${createHash('sha256').update(raw).digest('hex')}`).toBe(digest);
      const tags = JSON.parse(await run('skopeo', ['list-tags', ...read, `docker://${host}/skopeo/app`])) as {
        Tags: string[];
      };
      expect(tags.Tags).toEqual(['v1']);

      const objects = async (): Promise<number> => {
        let count = 0;
        for await (const object of test.store.blobs.list()) if (object.size > 0) count++;
        return count;
      };
      const before = await objects();
      await run('skopeo', [
        'copy',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        `--src-creds=${credential()}`,
        `--dest-creds=${credential()}`,
        `docker://${host}/skopeo/app:v1`,
        `docker://${host}/skopeo/copy:v2`,
      ]);
      expect(await objects()).toBe(before);
      const back = join(directory, 'skopeo-back');
      await run('skopeo', [
        'copy',
        '--src-tls-verify=false',
        `--src-creds=${credential()}`,
        `docker://${host}/skopeo/copy:v2`,
        `oci:${back}:v2`,
      ]);
      for (const hex of [digest.slice(7), layerHex(raw)]) {
        expect(
          readFileSync(join(back, 'blobs/sha256', hex)).equals(
            readFileSync(join(layout, 'blobs/sha256', hex)),
          ),
        ).toBe(true);
      }
      await run('skopeo', ['delete', ...read, `docker://${host}/skopeo/copy:v2`]);
      const gone = await runProgram('skopeo', ['inspect', ...read, `docker://${host}/skopeo/copy:v2`]);
      expect(gone.status).not.toBe(0);
      expect(gone.stderr).toMatch(/manifest unknown/i);
    },
  );

  it.skipIf(skopeo.skip)(`is turned away without or with a wrong credential${skopeo.note}`, async () => {
    for (const flags of [['--no-creds'], ['--creds=admin:wrong']]) {
      const result = await runProgram('skopeo', [
        'list-tags',
        '--tls-verify=false',
        ...flags,
        `docker://${host}/skopeo/app`,
      ]);
      expect(result.status).not.toBe(0);
      expect(result.stderr).toMatch(/unauthorized|authentication required|invalid username/i);
    }
  });
});

function layerHex(manifest: string): string {
  const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] };
  return (layers[0]?.digest ?? '').slice(7);
}

const needsRoot = isRoot ? '' : ' (skipped: needs root)';

describe('podman', () => {
  it.skipIf(podman.skip || !isRoot)(
    `logs in, pulls, tags, pushes and removes its login${podman.note}${needsRoot}`,
    async () => {
      const archive = join(directory, 'podman.tar');
      writeFileSync(archive, tarOf('hello.txt', randomBytes(5_000)));
      const storage = containerStorage('podman');
      const command = (...args: string[]): Promise<string> =>
        run('podman', [...storage.flags, ...args], { env: storage.env });
      await run(
        'podman',
        [...storage.flags, 'login', '--tls-verify=false', '-u', test.username, '--password-stdin', host],
        { env: storage.env, input: test.password },
      );
      const id = (await command('import', archive, 'localhost/made-here')).trim();
      await command('push', '--tls-verify=false', id, `${host}/podman/app:v1`);
      await command('rmi', '--all', '--force');
      await command('pull', '--tls-verify=false', `${host}/podman/app:v1`);
      expect(await command('images', '--format', '{{.Repository}}:{{.Tag}}')).toContain(
        `${host}/podman/app:v1`,
      );
      const search = await command('search', '--tls-verify=false', '--list-tags', `${host}/podman/app`);
      expect(search).toContain('v1');
      await command('rmi', '--all', '--force');
      await command('logout', host);
    },
  );
});

describe('buildah', () => {
  it.skipIf(buildah.skip || !isRoot)(
    `commits an image straight into the registry and builds on it${buildah.note}${needsRoot}`,
    async () => {
      const storage = containerStorage('buildah');
      const command = (...args: string[]): Promise<string> =>
        run('buildah', [...storage.flags, ...args], { env: storage.env });
      const credential = ['--tls-verify=false', `--creds=${test.username}:${test.password}`];
      const file = join(directory, 'content.txt');
      writeFileSync(file, randomBytes(1_000));
      const container = (await command('from', 'scratch')).trim();
      await command('copy', container, file, '/content.txt');
      await command('commit', ...credential, container, `docker://${host}/buildah/app:v1`);
      const second = (await command('from', ...credential, `${host}/buildah/app:v1`)).trim();
      await command('copy', second, file, '/again.txt');
      await command('commit', ...credential, '--format', 'docker', second, `docker://${host}/buildah/app:v2`);
      const pulled = await test.send('GET', '/v2/buildah/app/manifests/v2');
      expect(pulled.headers['content-type']).toBe('application/vnd.docker.distribution.manifest.v2+json');
      await command('rm', '--all');
      await command('rmi', '--all', '--force');
    },
  );
});

describe('oras', () => {
  it.skipIf(oras.skip)(`pushes an artifact, attaches a referrer and discovers it${oras.note}`, async () => {
    const program = findTool('oras') ?? 'oras';
    const work = join(directory, 'oras');
    mkdirSync(work);
    writeFileSync(join(work, 'artifact.txt'), 'artifact');
    writeFileSync(join(work, 'sbom.json'), '{}');
    const credential = ['--plain-http', '-u', test.username, '-p', test.password];
    const command = (...args: string[]): Promise<string> => run(program, args, { cwd: work });
    await command('push', ...credential, `${host}/oras/app:v1`, 'artifact.txt:text/plain');
    await command(
      'attach',
      ...credential,
      '--artifact-type',
      'application/vnd.example.sbom',
      `${host}/oras/app:v1`,
      'sbom.json:application/json',
    );
    expect(await command('discover', ...credential, `${host}/oras/app:v1`)).toContain(
      'application/vnd.example.sbom',
    );
    await command('manifest', 'delete', ...credential, '--force', `${host}/oras/app:v1`);
  });
});

/** A storage of their own for podman and buildah, with the driver that works everywhere, and a login file of their own. */
function containerStorage(name: string): { readonly flags: string[]; readonly env: Record<string, string> } {
  const base = join(directory, `${name}-storage`);
  mkdirSync(base);
  writeFileSync(join(base, 'auth.json'), '{}');
  return {
    flags: ['--root', join(base, 'root'), '--runroot', join(base, 'run'), '--storage-driver', 'vfs'],
    env: { REGISTRY_AUTH_FILE: join(base, 'auth.json'), XDG_RUNTIME_DIR: base },
  };
}
