// Broken and hostile images through the whole product: pushed, scanned, reported with a reason; the server stays well.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTestPlace, type TestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually, startTestServer, type TestServer } from './fixtures/server.ts';
import { MANIFEST_TYPE, sha256, tarFile } from './fixtures/small-image.ts';

const imageShape = z.object({
  scan: z.object({
    status: z.string(),
    error: z.object({ code: z.string(), message: z.string() }).nullable().optional(),
    problems: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
  }),
  problems: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
});

const END = Buffer.alloc(1024);

interface HostileLayer {
  readonly name: string;
  /** The unpacked bytes, for the diffID of the configuration. */
  readonly plain: () => Buffer;
  /** What is pushed, gzip of the unpacked bytes unless said otherwise. */
  readonly stored?: (plain: Buffer) => Buffer;
  /** What the configuration claims instead of the right diffID. */
  readonly claimedDiffId?: string;
  /** The code that has to be among the problems. */
  readonly code: string;
}

function headerWith(change: (header: Buffer) => void): Buffer {
  const file = tarFile('app/data.txt', Buffer.from('content'));
  change(file);
  let sum = 0;
  file.fill(' ', 148, 156);
  for (const byte of file.subarray(0, 512)) sum += byte;
  file.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return file;
}

const archive = (...files: Buffer[]): Buffer => Buffer.concat([...files, END]);

const HOSTILE: readonly HostileLayer[] = [
  {
    name: 'gzip that ends early',
    plain: () => archive(tarFile('a', Buffer.alloc(90_000, 1))),
    stored: (plain) => gzipSync(plain).subarray(0, 90),
    code: 'OCI_LAYER_COMPRESSION_DAMAGED',
  },
  {
    name: 'tar that ends inside a file',
    plain: () => tarFile('a', Buffer.alloc(90_000, 1)).subarray(0, 2_000),
    code: 'OCI_LAYER_TRUNCATED',
  },
  {
    name: 'layer that is not an archive at all',
    plain: () => Buffer.from('this is neither gzip nor tar, only words '.repeat(40)),
    stored: (plain) => plain,
    code: 'OCI_LAYER_NOT_TAR',
  },
  {
    // One file of zeros said to be 7 GiB, in gzip members of 64 MiB that compress a thousand times.
    name: 'gzip bomb',
    plain: () => headerWith((header) => header.write('70000000000\0', 124)).subarray(0, 512),
    stored: (plain) => {
      const zeros = gzipSync(Buffer.alloc(64 << 20), { level: 9 });
      return Buffer.concat([gzipSync(plain), ...Array.from({ length: 112 }, () => zeros)]);
    },
    code: 'OCI_LAYER_RATIO',
  },
  {
    name: 'path with ..',
    plain: () => archive(tarFile('../../etc/passwd', Buffer.from('x'))),
    code: 'OCI_LAYER_PATH_ESCAPES',
  },
  {
    name: 'file that says it is 8 GB',
    plain: () => archive(headerWith((header) => header.write('77777777777\0', 124))),
    code: 'OCI_LAYER_TRUNCATED',
  },
  {
    name: 'base-256 size beyond all bounds',
    plain: () =>
      archive(
        headerWith((header) => {
          header.fill(0xff, 124, 136);
          header[124] = 0x80;
        }),
      ),
    code: 'OCI_LAYER_NOT_TAR',
  },
  {
    name: 'wrong diffID',
    plain: () => archive(tarFile('a', Buffer.from('x'))),
    claimedDiffId: `sha256:${'0'.repeat(64)}`,
    code: 'SCAN_DIFF_ID_MISMATCH',
  },
  {
    name: 'broken dpkg status',
    plain: () =>
      archive(tarFile('var/lib/dpkg/status', Buffer.from('Package: \nVersion\n\u0000\u0001: x\n\n:::\n'))),
    code: 'SCAN_UNREADABLE_METADATA',
  },
  {
    name: 'broken apk database',
    plain: () => archive(tarFile('lib/apk/db/installed', Buffer.from('P:\nV\n\u0000x\n\nP:a\n\n'))),
    code: 'SCAN_UNREADABLE_METADATA',
  },
  {
    name: 'broken package.json',
    plain: () =>
      archive(tarFile('app/node_modules/x/package.json', Buffer.from('{"name": ["x"], "version": {}'))),
    code: 'SCAN_UNREADABLE_METADATA',
  },
  {
    name: 'broken wheel metadata',
    plain: () =>
      archive(tarFile('usr/lib/python3/x-1.dist-info/METADATA', Buffer.from([0xfd, 0xfc, 0, 1, 2]))),
    code: 'SCAN_UNREADABLE_METADATA',
  },
];

describe('hostile images', () => {
  let place: TestPlace;
  let server: TestServer;
  let headers: Record<string, string>;

  beforeAll(async () => {
    place = await openTestPlace();
    server = await startTestServer({ data: place.options.dataDirectory, env: databaseOf(place) });
    const { username, password } = server.credential;
    headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  });

  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
    await place?.remove();
  });

  const url = (path: string): string => `http://${server.registry}/v2/hostile/app/${path}`;

  async function pushBlob(content: Buffer): Promise<{ digest: string; size: number }> {
    const start = await fetch(url('blobs/uploads/'), { method: 'POST', headers });
    const location = new URL(start.headers.get('location') ?? '', url(''));
    location.searchParams.set('digest', sha256(content));
    const put = await fetch(location, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(content),
    });
    expect(put.status).toBe(201);
    return { digest: sha256(content), size: content.length };
  }

  async function pushManifest(tag: string, manifest: unknown): Promise<Response> {
    return fetch(url(`manifests/${tag}`), {
      method: 'PUT',
      headers: { ...headers, 'content-type': MANIFEST_TYPE },
      body: typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
    });
  }

  it.each(HOSTILE)(
    'says what is wrong with a $name',
    async ({ name, plain, stored, claimedDiffId, code }) => {
      const unpacked = plain();
      const content = stored === undefined ? gzipSync(unpacked) : stored(unpacked);
      const blob = await pushBlob(content);
      const config = await pushBlob(
        Buffer.from(
          JSON.stringify({
            architecture: 'amd64',
            os: 'linux',
            author: name,
            config: {},
            rootfs: { type: 'layers', diff_ids: [claimedDiffId ?? sha256(unpacked)] },
          }),
        ),
      );
      const pushed = await pushManifest(name.replaceAll(/[^a-z0-9]+/gi, '-'), {
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...blob }],
      });
      expect(pushed.status).toBe(201);
      const digest = pushed.headers.get('docker-content-digest') ?? '';
      const answer = await eventually(
        () => server.json(`/api/v1/images/${digest}`),
        (body) =>
          ['finished', 'failed', 'unscannable'].includes(imageShape.safeParse(body).data?.scan.status ?? ''),
        120_000,
        'the end of the scan',
      );
      const image = imageShape.parse(answer);
      const problems = [
        ...(image.scan.problems ?? []),
        ...(image.problems ?? []),
        ...(image.scan.error ? [image.scan.error] : []),
      ];
      expect(problems.map((problem) => problem.code)).toContain(code);
      // Nothing else is wrong with it: a problem that every image has would prove nothing.
      expect(new Set(problems.map((problem) => problem.code))).toEqual(new Set([code]));
    },
  );

  it.each([
    ['more than 4 MiB', () => `{"schemaVersion":2,"x":"${'a'.repeat(5 << 20)}"}`, 413],
    ['no JSON', () => 'not json', 400],
    ['JSON of the wrong shape', () => '{"schemaVersion":2,"config":7,"layers":"x"}', 400],
    ['deeply nested JSON', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    [
      'layers that are not there',
      () =>
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST_TYPE,
          config: {
            mediaType: 'application/vnd.oci.image.config.v1+json',
            digest: sha256(Buffer.from('absent')),
            size: 6,
          },
          layers: [],
        }),
      404,
    ],
    [
      'ten thousand layers',
      () =>
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST_TYPE,
          config: {
            mediaType: 'application/vnd.oci.image.config.v1+json',
            digest: sha256(Buffer.from('absent')),
            size: 6,
          },
          layers: Array.from({ length: 10_000 }, () => ({
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
            digest: sha256(Buffer.from('x')),
            size: 1,
          })),
        }),
      400,
    ],
  ])('refuses a manifest with %s', async (name, manifest, status) => {
    const response = await pushManifest('refused', manifest());
    expect(response.status, name).toBe(status);
    const body = z
      .object({ errors: z.array(z.object({ code: z.string(), message: z.string() })).min(1) })
      .parse(await response.json());
    expect(body.errors[0]?.code).toMatch(/^(MANIFEST|SIZE|BLOB)_/);
    expect((await fetch(url('manifests/refused'), { headers })).status).toBe(404);
  });

  it('is still ready after all of it', async () => {
    expect((await fetch(new URL('/readyz', server.api))).status).toBe(200);
  });
});
