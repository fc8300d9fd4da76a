// Images in an OCI image layout directory (OCI image-spec image-layout.md): oci-layout, index.json, blobs/<algorithm>/<hex>.
import { constants, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { MAX_MANIFEST_BYTES, systemErrorCode } from '../../core/index.ts';
import { digestAlgorithm, digestHex, verifyContent } from '../digest.ts';
import { ociErrors } from '../errors.ts';
import { parseJsonObject, stringAt } from '../json-document.ts';
import { parseManifest } from '../manifest.ts';
import { OCI_IMAGE_INDEX } from '../media-types.ts';
import type { Descriptor, Digest, ImageSource, RootManifest } from '../types.ts';
import { readRange, streamRange } from './blob-file.ts';
import { verifiedStream } from './verified-stream.ts';

const REFERENCE_NAME = 'org.opencontainers.image.ref.name';
/** containerd and docker write the full reference here. */
const FULL_NAME = 'io.containerd.image.name';

/** Which image of the layout: by tag (`org.opencontainers.image.ref.name`), by digest, or the only one. */
export interface LayoutSelection {
  readonly tag?: string;
  readonly digest?: Digest;
}

/**
 * Opens a layout directory. Throws `OCI_LAYOUT_INVALID`, `OCI_NOT_FOUND`, or `OCI_IMAGE_AMBIGUOUS` when several images
 * are there and none is named.
 */
export async function openOciLayout(
  directory: string,
  selection: LayoutSelection = {},
): Promise<ImageSource> {
  await checkLayoutVersion(directory);
  const entries = await readLayoutIndex(directory);
  const root = selectImage(directory, entries, selection);
  return new OciLayout(
    directory,
    selection.tag === undefined ? directory : `${directory}:${selection.tag}`,
    root,
  );
}

class OciLayout implements ImageSource {
  readonly target: string;
  readonly #directory: string;
  readonly #root: Descriptor;

  constructor(directory: string, target: string, root: Descriptor) {
    this.#directory = directory;
    this.target = target;
    this.#root = root;
  }

  async root(): Promise<RootManifest> {
    const { digest, mediaType } = this.#root;
    return { digest, mediaType, bytes: await this.manifest(this.#root) };
  }

  async manifest(descriptor: Descriptor): Promise<Buffer> {
    if (descriptor.size > MAX_MANIFEST_BYTES) {
      throw ociErrors.create('OCI_MANIFEST_TOO_LARGE', { limit: MAX_MANIFEST_BYTES });
    }
    const file = await this.#open(descriptor.digest);
    try {
      const { size } = await file.stat();
      const bytes = await readRange(file, 0, Math.min(size, MAX_MANIFEST_BYTES));
      verifyContent(descriptor, bytes);
      return bytes;
    } finally {
      await file.close();
    }
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Readable> {
    if (signal?.aborted) throw ociErrors.create('OCI_ABORTED', {}, signal.reason);
    const file = await this.#open(descriptor.digest);
    // One byte more than promised, so that a longer file is noticed.
    const source = streamRange(file, { position: 0, size: descriptor.size + 1 }, true);
    return verifiedStream(source, descriptor);
  }

  async close(): Promise<void> {}

  /** The name is made of a checked digest only, so that it cannot leave the directory. */
  async #open(digest: Digest): Promise<FileHandle> {
    const path = join(this.#directory, 'blobs', digestAlgorithm(digest), digestHex(digest));
    try {
      return await openRegularFile(path);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') {
        throw ociErrors.create('OCI_NOT_FOUND', { what: `blob ${digest}`, target: this.target }, error);
      }
      throw invalid(this.#directory, `blob ${digest} cannot be opened`, error);
    }
  }
}

async function checkLayoutVersion(directory: string): Promise<void> {
  const document = parseJsonObject(await readSmallFile(directory, 'oci-layout'));
  const version = typeof document === 'string' ? undefined : stringAt(document, 'imageLayoutVersion');
  if (version === undefined || !version.startsWith('1.')) {
    throw invalid(directory, 'oci-layout does not name version 1 of the format');
  }
}

async function readLayoutIndex(directory: string): Promise<readonly Descriptor[]> {
  const bytes = await readSmallFile(directory, 'index.json');
  let manifest: ReturnType<typeof parseManifest>;
  try {
    manifest = parseManifest(bytes, OCI_IMAGE_INDEX);
  } catch (error) {
    throw invalid(directory, 'index.json is not a valid image index', error);
  }
  return manifest.kind === 'index' ? manifest.manifests : [];
}

async function readSmallFile(directory: string, name: string): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await openRegularFile(join(directory, name));
  } catch (error) {
    throw invalid(directory, `${name} cannot be opened`, error);
  }
  try {
    const bytes = await readRange(file, 0, MAX_MANIFEST_BYTES + 1);
    if (bytes.length > MAX_MANIFEST_BYTES) throw invalid(directory, `${name} is too large`);
    return bytes;
  } finally {
    await file.close();
  }
}

/** Opens without waiting for a writer when the path is a FIFO, and refuses what is not a file. */
async function openRegularFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stat = await file.stat().catch(() => undefined);
  if (stat?.isFile()) return file;
  await file.close();
  throw new Error(`${path} is not a regular file`);
}

function selectImage(
  directory: string,
  entries: readonly Descriptor[],
  selection: LayoutSelection,
): Descriptor {
  const { tag, digest } = selection;
  const candidates = entries.filter(
    (entry) =>
      (digest === undefined || entry.digest === digest) && (tag === undefined || names(entry).includes(tag)),
  );
  const [first, ...others] = candidates;
  if (first === undefined) {
    const what = tag !== undefined ? `tag ${tag}` : digest !== undefined ? `manifest ${digest}` : 'an image';
    throw ociErrors.create('OCI_NOT_FOUND', { what, target: directory });
  }
  if (others.some((other) => other.digest !== first.digest)) {
    const choices = candidates
      .slice(0, 10)
      .map((entry) => names(entry)[0] ?? entry.digest)
      .join(', ');
    throw ociErrors.create('OCI_IMAGE_AMBIGUOUS', { target: directory, choices });
  }
  return first;
}

/** The names an image goes by: as written, and the tag at the end of a full reference. */
function names(entry: Descriptor): string[] {
  const written = [entry.annotations?.[REFERENCE_NAME], entry.annotations?.[FULL_NAME]];
  return written.flatMap((name) => {
    if (name === undefined || name === '') return [];
    const colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/') && colon > 0 ? [name, name.slice(colon + 1)] : [name];
  });
}

function invalid(path: string, reason: string, cause?: unknown): Error {
  return ociErrors.create('OCI_LAYOUT_INVALID', { path, reason }, cause);
}
