// The sample image of the first start: real package metadata of versions with known flaws, as one small OCI image.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarArchive } from './tar-archive.ts';

/** An image in memory, ready to be pushed. */
export interface SampleImage {
  readonly layers: readonly SampleBlob[];
  readonly config: SampleBlob;
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

export interface SampleBlob {
  readonly bytes: Buffer;
  readonly digest: string;
}

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** The image never changes, so that its digest does not either. */
const CREATED = '2023-06-10T00:00:00Z';

const OS_RELEASE = [
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
  'NAME="Debian GNU/Linux"',
  'VERSION_ID="12"',
  'VERSION="12 (bookworm)"',
  'VERSION_CODENAME=bookworm',
  'ID=debian',
  '',
].join('\n');

/** Versions of the first bookworm release: name, version, source package where its name differs. */
const DEBIAN_PACKAGES: readonly (readonly [name: string, version: string, source?: string])[] = [
  ['curl', '7.88.1-10'],
  ['libcurl4', '7.88.1-10', 'curl'],
  ['libssl3', '3.0.9-1', 'openssl'],
  ['openssl', '3.0.9-1'],
  ['zlib1g', '1:1.2.13.dfsg-1', 'zlib'],
  ['libexpat1', '2.5.0-1', 'expat'],
  ['libwebp7', '1.2.4-0.2', 'libwebp'],
  ['libc6', '2.36-9', 'glibc'],
];

/** Builds the image; the same bytes each time. */
export function buildSampleImage(): SampleImage {
  const layers = [
    layer('debian:12.0 (metadata of a few packages)', {
      'etc/os-release': OS_RELEASE,
      'var/lib/dpkg/status': DEBIAN_PACKAGES.map(dpkgParagraph).join('\n'),
    }),
    layer('RUN npm install lodash@4.17.15 minimist@1.2.0', {
      'app/package.json': packageJson('breakwater-sample', '1.0.0', 'UNLICENSED'),
      'app/node_modules/lodash/package.json': packageJson('lodash', '4.17.15', 'MIT'),
      'app/node_modules/minimist/package.json': packageJson('minimist', '1.2.0', 'MIT'),
    }),
    layer('RUN pip install PyYAML==5.3', {
      'usr/local/lib/python3.11/site-packages/PyYAML-5.3.dist-info/METADATA': [
        'Metadata-Version: 2.1',
        'Name: PyYAML',
        'Version: 5.3',
        'Summary: YAML parser and emitter for Python',
        'License: MIT',
        '',
        '',
      ].join('\n'),
    }),
  ];
  const config = blob(
    JSON.stringify({
      created: CREATED,
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: { 'org.opencontainers.image.title': 'Breakwater sample' } },
      rootfs: { type: 'layers', diff_ids: layers.map((item) => item.diffId) },
      history: layers.map((item) => ({ created: CREATED, created_by: item.instruction })),
    }),
  );
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, digest: config.digest, size: config.bytes.length },
      layers: layers.map(({ blob: { digest, bytes } }) => ({
        mediaType: LAYER_TYPE,
        digest,
        size: bytes.length,
      })),
      annotations: { 'org.opencontainers.image.description': 'Package metadata only; nothing in it runs.' },
    }),
  );
  return {
    layers: layers.map((item) => item.blob),
    config,
    manifest: manifest.bytes,
    mediaType: MANIFEST_TYPE,
    digest: manifest.digest,
  };
}

function layer(instruction: string, files: Readonly<Record<string, string>>) {
  const tar = tarArchive(files);
  return { instruction, diffId: sha256(tar), blob: blob(gzipSync(tar, { level: 9 })) };
}

function dpkgParagraph([name, version, source]: (typeof DEBIAN_PACKAGES)[number]): string {
  return [
    `Package: ${name}`,
    'Status: install ok installed',
    'Priority: optional',
    'Section: libs',
    'Maintainer: Debian',
    'Architecture: amd64',
    ...(source === undefined ? [] : [`Source: ${source}`]),
    `Version: ${version}`,
    `Description: ${name} (sample entry)`,
    '',
  ].join('\n');
}

function packageJson(name: string, version: string, license: string): string {
  return `${JSON.stringify({ name, version, license }, null, 2)}\n`;
}

function blob(content: string | Buffer): SampleBlob {
  const bytes = Buffer.from(content);
  return { bytes, digest: sha256(bytes) };
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
