// Test support (imported by tests only): layers and images made in memory, and a registry that serves them.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import {
  OCI_IMAGE_CONFIG,
  OCI_IMAGE_INDEX,
  OCI_IMAGE_MANIFEST,
  OCI_LAYER_GZIP,
  requireDigest,
  verifiedStream,
  type Digest,
  type ImageSource,
} from '../oci/index.ts';
import { buildAdvisoryFile, openAdvisoryFile, type AdvisoryFile } from '../advisories/index.ts';
import type { CatalogSink, Cataloger } from './cataloger.ts';
import { LayerCatalog } from './layer.ts';
import type { CatalogedPackage, DistributionRelease } from './types.ts';

export function sha256(bytes: Uint8Array): Digest {
  return requireDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

export interface TarEntry {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink';
  readonly link?: string;
}

const TYPE_FLAGS = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const;

/** POSIX ustar bytes; paths up to 100 bytes. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, content = '', type = 'file', link = '' } of entries) {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(path, 0, 100);
    header.write('0000755\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write(TYPE_FLAGS[type], 156);
    header.write(link, 157, 100);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export interface TestImage {
  readonly digest: Digest;
  readonly manifest: Buffer;
  readonly mediaType: string;
  /** Everything by digest: layers, configurations, manifests. */
  readonly content: Map<string, Buffer>;
  readonly layers: readonly Digest[];
}

export interface TestImageOptions {
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly history?: readonly { readonly created_by: string; readonly empty_layer?: boolean }[];
  readonly diffIds?: readonly string[];
  readonly layerMediaType?: string;
}

/** An image whose layers hold the given entries. */
export function imageOf(layers: readonly (readonly TarEntry[])[], options: TestImageOptions = {}): TestImage {
  const content = new Map<string, Buffer>();
  const put = (bytes: Buffer): Digest => {
    content.set(sha256(bytes), bytes);
    return sha256(bytes);
  };
  const tars = layers.map(tarOf);
  const blobs = tars.map((tar) => gzipSync(tar, { level: 1 }));
  const config = Buffer.from(
    JSON.stringify({
      ...(options.platform ?? { os: 'linux', architecture: 'amd64' }),
      created: '2026-01-02T03:04:05Z',
      history: options.history ?? [],
      rootfs: { type: 'layers', diff_ids: options.diffIds ?? tars.map(sha256) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_IMAGE_MANIFEST,
      config: { mediaType: OCI_IMAGE_CONFIG, digest: put(config), size: config.length },
      layers: blobs.map((blob) => ({
        mediaType: options.layerMediaType ?? OCI_LAYER_GZIP,
        digest: put(blob),
        size: blob.length,
      })),
    }),
  );
  const digest = put(manifest);
  return { digest, manifest, mediaType: OCI_IMAGE_MANIFEST, content, layers: blobs.map(sha256) };
}

/** An index of images, each with its platform. */
export function indexOf(
  children: readonly { readonly image: TestImage; readonly os: string; readonly architecture: string }[],
): TestImage {
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_IMAGE_INDEX,
      manifests: children.map(({ image, os, architecture }) => ({
        mediaType: image.mediaType,
        digest: image.digest,
        size: image.manifest.length,
        platform: { os, architecture },
      })),
    }),
  );
  const content = new Map(children.flatMap(({ image }) => [...image.content]));
  content.set(sha256(manifest), manifest);
  return { digest: sha256(manifest), manifest, mediaType: OCI_IMAGE_INDEX, content, layers: [] };
}

/** Reads an image from memory; blobs are verified as every source does it. Counts how often each blob is read. */
export function memorySource(image: TestImage): ImageSource & { readonly reads: Map<string, number> } {
  const reads = new Map<string, number>();
  const contentOf = (digest: string): Buffer => {
    const bytes = image.content.get(digest);
    if (bytes === undefined) throw new Error(`the test image holds no ${digest}`);
    return bytes;
  };
  return {
    target: 'memory',
    reads,
    root: () => Promise.resolve({ digest: image.digest, mediaType: image.mediaType, bytes: image.manifest }),
    manifest: async (descriptor) => contentOf(descriptor.digest),
    blob: async (descriptor) => {
      reads.set(descriptor.digest, (reads.get(descriptor.digest) ?? 0) + 1);
      return verifiedStream(Readable.from([contentOf(descriptor.digest)]), descriptor);
    },
    close: () => Promise.resolve(),
  };
}

export interface TestRegistry {
  /** `host:port`. */
  readonly address: string;
  readonly requests: string[];
  /** Adds an image's content; what was added is served from every repository. */
  add(image: TestImage): void;
  /** Makes every request to a blob wait for ever, from now on. */
  stall(): void;
  close(): Promise<void>;
}

/** Serves images by the pull part of OCI distribution-spec, on a free port of the loopback interface. */
export async function serveImages(): Promise<TestRegistry> {
  const content = new Map<string, Buffer>();
  const types = new Map<string, string>();
  const requests: string[] = [];
  let stalled = false;
  const server = createServer((request, response) => {
    const match = /^\/v2\/.+\/(manifests|blobs)\/(sha256:[0-9a-f]{64})$/.exec(request.url ?? '');
    const digest = match?.[2] ?? '';
    const bytes = content.get(digest);
    requests.push(`${match?.[1] ?? request.url ?? ''} ${digest}`);
    if (stalled && match?.[1] === 'blobs') return;
    response.statusCode = bytes === undefined ? 404 : 200;
    response.setHeader('content-type', types.get(digest) ?? 'application/octet-stream');
    response.setHeader('docker-content-digest', digest);
    response.end(request.method === 'HEAD' ? undefined : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    address: `127.0.0.1:${port}`,
    requests,
    add(image) {
      for (const [digest, bytes] of image.content) content.set(digest, bytes);
      types.set(image.digest, image.mediaType);
    },
    stall() {
      stalled = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export interface Cataloged {
  readonly packages: CatalogedPackage[];
  readonly owned: Map<string, string>;
  readonly releases: DistributionRelease[];
  readonly problems: string[];
}

/** Reads one file with one cataloger, in chunks of the given size where it streams. */
export function catalogFile(
  cataloger: Cataloger,
  path: string,
  content: string | Uint8Array,
  chunkBytes = 65_536,
): Cataloged {
  const found: Cataloged = { packages: [], owned: new Map(), releases: [], problems: [] };
  const bytes = Buffer.from(content);
  const sink: CatalogSink = {
    path,
    package: (item) => found.packages.push({ ...item, path }),
    owns: (owner, file) => found.owned.set(file, owner),
    distribution: (release) => found.releases.push(release),
    problem: (reason) => found.problems.push(reason),
  };
  const size = bytes.length;
  const entry = { path, type: 'file', target: null, linkName: null, size, mode: 0o755 } as const;
  const reading = cataloger.matches(path) ? cataloger.reading(entry) : undefined;
  if (reading?.how === 'whole') reading.read(bytes, sink);
  if (reading?.how === 'stream') {
    const reader = reading.open(sink);
    let wanted = true;
    for (let at = 0; at < size && wanted; at += chunkBytes) {
      wanted = reader.chunk(Buffer.from(bytes.subarray(at, at + chunkBytes)));
    }
    if (wanted) reader.end();
  }
  return found;
}

/** A layer result made of entries directly. */
export function catalogEntries(entries: readonly TarEntry[]): ReturnType<LayerCatalog['contents']> {
  const catalog = new LayerCatalog();
  for (const { path, content = '', type = 'file', link = null } of entries) {
    const bytes = Buffer.from(content);
    const interest = catalog.entry({
      path,
      type,
      target: null,
      linkName: link,
      size: bytes.length,
      mode: 0o644,
    });
    if (interest.want === 'bytes') interest.onBytes(bytes);
    if (interest.want === 'stream') {
      interest.onChunk(bytes);
      interest.onEnd();
    }
  }
  return catalog.contents();
}

/** An OSV record with the parts that matter here. */
export interface TestAdvisory {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly summary?: string;
  readonly modified?: string;
  readonly withdrawn?: string;
  readonly database_specific?: Readonly<Record<string, unknown>>;
  readonly severity?: readonly { readonly type: string; readonly score: string }[];
  readonly affected: readonly {
    readonly package: { readonly ecosystem: string; readonly name: string };
    readonly ranges?: readonly {
      readonly type: string;
      readonly events: readonly Readonly<Record<string, string>>[];
    }[];
    readonly versions?: readonly string[];
    readonly ecosystem_specific?: Readonly<Record<string, unknown>>;
  }[];
}

/** What `affected` of an OSV record says: versions from `introduced` on, below `fixed`. */
export function affects(
  ecosystem: string,
  name: string,
  fixed: string | null,
  introduced = '0',
): TestAdvisory['affected'][number] {
  const events = [{ introduced }, ...(fixed === null ? [] : [{ fixed }])];
  return { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events }] };
}

export interface TestAdvisoryFile {
  readonly path: string;
  readonly advisories: AdvisoryFile;
  remove(): void;
}

/** A real advisory file, built from these records. */
export async function buildAdvisories(records: readonly TestAdvisory[]): Promise<TestAdvisoryFile> {
  const directory = mkdtempSync(join(tmpdir(), 'breakwater-scan-advisories-'));
  const modified = '2026-01-01T00:00:00Z';
  const lines = records.map((record) => JSON.stringify({ schema_version: '1.6.0', modified, ...record }));
  writeFileSync(join(directory, 'test.ndjson'), `${lines.join('\n')}\n`);
  const path = join(directory, 'test.bwadv');
  await buildAdvisoryFile([join(directory, 'test.ndjson')], path, { clock: { now: () => BUILT_AT } });
  const advisories = openAdvisoryFile(path);
  return {
    path,
    advisories,
    remove() {
      advisories.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** When test advisory files say they were built: 2026-01-01. */
export const BUILT_AT = Date.UTC(2026, 0, 1);
