// Images in a `docker save` archive: manifest.json with the paths of config and layers, in its old and its OCI-style form.
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { MAX_LAYERS, MAX_MANIFEST_BYTES } from '../../core/index.ts';
import { DigestHasher, digestOf } from '../digest.ts';
import { ociErrors } from '../errors.ts';
import { isJsonObject, stringAt } from '../json-document.ts';
import { MAX_CONFIG_BYTES } from '../image-config.ts';
import { MAGIC_BYTES, sniffCompression } from '../layers/compression.ts';
import {
  OCI_IMAGE_CONFIG,
  OCI_IMAGE_MANIFEST,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
} from '../media-types.ts';
import { formatReference, parseReference } from '../reference.ts';
import type { Descriptor, Digest, ImageSource, RootManifest } from '../types.ts';
import { type ArchiveIndex, type ArchiveMember, indexArchive } from './archive-index.ts';
import { readRange, streamRange } from './blob-file.ts';
import { verifiedStream } from './verified-stream.ts';

const MAX_IMAGES = 1_000;
const MAX_TAGS = 1_000;

/** Which image of the archive: by a reference in its `RepoTags` or by the tag of one, or the only one. */
export interface ArchiveSelection {
  readonly reference?: string;
}

/** One element of manifest.json. */
interface SavedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/**
 * Opens an archive. It holds no OCI manifest that names its layers as they are stored, so one is made: the digests are
 * computed from the content, which reads the archive once. Throws `OCI_ARCHIVE_INVALID`, `OCI_NOT_FOUND`, or
 * `OCI_IMAGE_AMBIGUOUS` when several images are there and none is named.
 */
export async function openDockerArchive(
  path: string,
  selection: ArchiveSelection = {},
): Promise<ImageSource> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw invalid(path, 'it cannot be opened', error);
  });
  try {
    const archive = await readIndex(file, path);
    const image = selectImage(path, await readSavedImages(file, archive, path), selection);
    return await new ArchiveReading(file, archive, path).describe(image);
  } catch (error) {
    await file.close();
    if (ociErrors.is(error)) throw error;
    throw invalid(path, 'it cannot be read', error);
  }
}

class DockerArchive implements ImageSource {
  readonly target: string;
  readonly #file: FileHandle;
  readonly #members: ReadonlyMap<Digest, ArchiveMember>;
  readonly #manifest: Buffer;

  constructor(
    target: string,
    file: FileHandle,
    members: ReadonlyMap<Digest, ArchiveMember>,
    manifest: Buffer,
  ) {
    this.target = target;
    this.#file = file;
    this.#members = members;
    this.#manifest = manifest;
  }

  async root(): Promise<RootManifest> {
    return { digest: digestOf(this.#manifest), mediaType: OCI_IMAGE_MANIFEST, bytes: this.#manifest };
  }

  async manifest(descriptor: Descriptor): Promise<Buffer> {
    if (descriptor.digest === digestOf(this.#manifest)) return this.#manifest;
    throw ociErrors.create('OCI_NOT_FOUND', { what: `manifest ${descriptor.digest}`, target: this.target });
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Readable> {
    if (signal?.aborted) throw ociErrors.create('OCI_ABORTED', {}, signal.reason);
    const member = this.#members.get(descriptor.digest);
    if (member === undefined) {
      throw ociErrors.create('OCI_NOT_FOUND', { what: `blob ${descriptor.digest}`, target: this.target });
    }
    return verifiedStream(streamRange(this.#file, member, false), descriptor);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Makes the manifest of one saved image. */
class ArchiveReading {
  readonly #file: FileHandle;
  readonly #archive: ArchiveIndex;
  readonly #path: string;
  readonly #members = new Map<Digest, ArchiveMember>();

  constructor(file: FileHandle, archive: ArchiveIndex, path: string) {
    this.#file = file;
    this.#archive = archive;
    this.#path = path;
  }

  async describe(image: SavedImage): Promise<ImageSource> {
    const config = await this.#descriptor(image.config, async () => OCI_IMAGE_CONFIG);
    if (config.size > MAX_CONFIG_BYTES) throw invalid(this.#path, 'the image configuration is too large');
    const layers: Descriptor[] = [];
    for (const layer of image.layers) {
      layers.push(await this.#descriptor(layer, (member) => this.#layerType(member)));
    }
    const manifest = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config, layers };
    const bytes = Buffer.from(JSON.stringify(manifest));
    return new DockerArchive(this.#path, this.#file, this.#members, bytes);
  }

  async #descriptor(path: string, typeOf: (member: ArchiveMember) => Promise<string>): Promise<Descriptor> {
    const member = this.#archive.find(path);
    if (member === undefined)
      throw invalid(this.#path, `manifest.json names ${path.slice(0, 200)}, which is missing`);
    const hasher = new DigestHasher();
    for await (const chunk of streamRange(this.#file, member, false) as AsyncIterable<Buffer>)
      hasher.update(chunk);
    const digest = hasher.digest();
    this.#members.set(digest, member);
    return { mediaType: await typeOf(member), digest, size: member.size };
  }

  async #layerType(member: ArchiveMember): Promise<string> {
    const first = await readRange(this.#file, member.position, Math.min(member.size, MAGIC_BYTES));
    const compression = sniffCompression(first);
    return compression === 'gzip' ? OCI_LAYER_GZIP : compression === 'zstd' ? OCI_LAYER_ZSTD : OCI_LAYER;
  }
}

async function readIndex(file: FileHandle, path: string): Promise<ArchiveIndex> {
  const compression = sniffCompression(await readRange(file, 0, MAGIC_BYTES));
  if (compression !== 'none')
    throw invalid(path, `it is compressed with ${compression}; decompress it first`);
  const archive = await indexArchive(file);
  if (typeof archive === 'string') throw invalid(path, archive);
  return archive;
}

async function readSavedImages(file: FileHandle, archive: ArchiveIndex, path: string): Promise<SavedImage[]> {
  const member = archive.find('manifest.json');
  if (member === undefined) throw invalid(path, 'it has no manifest.json');
  if (member.size > MAX_MANIFEST_BYTES) throw invalid(path, 'manifest.json is too large');
  let document: unknown;
  try {
    document = JSON.parse((await readRange(file, member.position, member.size)).toString('utf8'));
  } catch (error) {
    throw invalid(path, 'manifest.json is not JSON', error);
  }
  if (!Array.isArray(document) || document.length > MAX_IMAGES) {
    throw invalid(path, `manifest.json is not a list of at most ${MAX_IMAGES} images`);
  }
  return document.map((entry: unknown) => readSavedImage(entry, path));
}

function readSavedImage(entry: unknown, path: string): SavedImage {
  const config = isJsonObject(entry) ? stringAt(entry, 'Config') : undefined;
  const layers = isJsonObject(entry) ? strings(entry['Layers'], MAX_LAYERS) : undefined;
  const tags = isJsonObject(entry) ? strings(entry['RepoTags'], MAX_TAGS) : undefined;
  if (config === undefined || layers === undefined || tags === undefined) {
    throw invalid(path, 'manifest.json has an image without a valid Config, RepoTags or Layers');
  }
  return { config, layers, tags };
}

/** A list of strings; a missing one is empty, anything else undefined. */
function strings(value: unknown, limit: number): string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > limit) return undefined;
  const list = value.filter((item: unknown): item is string => typeof item === 'string');
  return list.length === value.length ? list : undefined;
}

function selectImage(path: string, images: readonly SavedImage[], selection: ArchiveSelection): SavedImage {
  const { reference } = selection;
  const wanted = reference === undefined ? undefined : canonical(reference);
  const candidates =
    wanted === undefined
      ? images
      : images.filter((image) =>
          image.tags.some((tag) => canonical(tag) === wanted || tag.endsWith(`:${reference}`)),
        );
  const [first, second] = candidates;
  if (first === undefined) {
    throw ociErrors.create('OCI_NOT_FOUND', { what: reference ?? 'an image', target: path });
  }
  if (second !== undefined) {
    const choices = candidates.slice(0, 10).map((image) => image.tags[0] ?? image.config);
    throw ociErrors.create('OCI_IMAGE_AMBIGUOUS', { target: path, choices: choices.join(', ') });
  }
  return first;
}

/** `app` and `docker.io/library/app:latest` are the same image. A name that cannot be read only equals itself. */
function canonical(name: string): string {
  try {
    const reference = parseReference(name);
    return formatReference({
      ...reference,
      tag: reference.tag ?? (reference.digest === null ? 'latest' : null),
    });
  } catch {
    return name;
  }
}

function invalid(path: string, reason: string, cause?: unknown): Error {
  return ociErrors.create('OCI_ARCHIVE_INVALID', { path, reason }, cause);
}
