// Client of one OCI registry (OCI distribution-spec 1.1): manifests, blobs, tags, referrers.
import type { Readable } from 'node:stream';
import { MAX_MANIFEST_BYTES, MiB } from '../../core/index.ts';
import { digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from '../digest.ts';
import { ociErrors } from '../errors.ts';
import { parseJsonObject } from '../json-document.ts';
import { parseManifest } from '../manifest.ts';
import { bareMediaType, MANIFEST_MEDIA_TYPES, OCI_IMAGE_INDEX } from '../media-types.ts';
import type { Descriptor, Digest, RootManifest } from '../types.ts';
import { downloadBlob } from './blob-download.ts';
import { type UploadedBlob, uploadBlob } from './blob-upload.ts';
import { RegistryTransport, type TransportOptions } from './transport.ts';

const MAX_LIST_BYTES = 16 * MiB;
const MAX_PAGES = 10_000;
const MAX_TAGS = 1_000_000;
const MAX_REFERRERS = 10_000;

/**
 * Pulls from and pushes to one registry. Everything it throws is coded: `OCI_NOT_FOUND`, `OCI_REGISTRY_DENIED`,
 * `OCI_REGISTRY_BUSY`, `OCI_REGISTRY_UNREACHABLE`, `OCI_REGISTRY_ANSWER`, `OCI_ABORTED`, and what verification throws.
 */
export class RegistryClient {
  readonly #transport: RegistryTransport;

  /** `registry` as in references: `docker.io`, `localhost:5000`. */
  constructor(registry: string, options: TransportOptions = {}) {
    this.#transport = new RegistryTransport(registry, options);
  }

  /** Checks that there is a registry that takes the credential (`GET /v2/`). */
  async check(): Promise<void> {
    const response = await this.#transport.send({ url: '/v2/', scopes: [] });
    if (response.status !== 200) throw await this.#transport.failure(response, 'the API');
    response.body.resume();
  }

  /** A manifest by tag or digest, verified; at most `MAX_MANIFEST_BYTES`. */
  async manifest(repository: string, reference: string, signal?: AbortSignal): Promise<RootManifest> {
    const { response, body } = await this.#transport.read(
      {
        url: `/v2/${repository}/manifests/${reference}`,
        scopes: pullScopes(repository),
        headers: { accept: MANIFEST_MEDIA_TYPES.join(', ') },
        ...(signal ? { signal } : {}),
      },
      MAX_MANIFEST_BYTES,
    );
    if (response.status !== 200)
      throw this.#transport.refusal(response.status, body, `manifest ${repository}:${reference}`);
    const expected = isDigest(reference) ? reference : parseDigest(response.headers['docker-content-digest']);
    const actual = digestOf(body, expected === undefined ? 'sha256' : digestAlgorithm(expected));
    if (expected !== undefined && expected !== actual) {
      throw ociErrors.create('OCI_DIGEST_MISMATCH', { expected, actual });
    }
    const contentType = bareMediaType(response.headers['content-type'] ?? '');
    const isGeneric =
      contentType === '' || contentType === 'application/json' || contentType === 'text/plain';
    const mediaType = isGeneric ? parseManifest(body).mediaType : contentType;
    return { digest: actual, mediaType, bytes: body };
  }

  /** What a tag stands for now, without the manifest itself; undefined when there is no such tag. */
  async resolve(repository: string, reference: string): Promise<Descriptor | undefined> {
    const response = await this.#transport.send({
      method: 'HEAD',
      url: `/v2/${repository}/manifests/${reference}`,
      scopes: pullScopes(repository),
      headers: { accept: MANIFEST_MEDIA_TYPES.join(', ') },
    });
    response.body.resume();
    if (response.status === 404) return undefined;
    const digest = parseDigest(response.headers['docker-content-digest']);
    const size = Number(response.headers['content-length']);
    if (response.status !== 200 || digest === undefined || !Number.isSafeInteger(size)) {
      throw await this.#transport.failure(response, `manifest ${repository}:${reference}`);
    }
    return { mediaType: bareMediaType(response.headers['content-type'] ?? ''), digest, size };
  }

  /** The bytes of a blob, verified while they stream by; interrupted downloads are resumed. */
  blob(repository: string, descriptor: Pick<Descriptor, 'digest' | 'size'>, signal?: AbortSignal): Readable {
    return downloadBlob(this.#transport, repository, descriptor, signal);
  }

  async blobExists(repository: string, digest: Digest): Promise<boolean> {
    const url = `/v2/${repository}/blobs/${digest}`;
    const response = await this.#transport.send({ method: 'HEAD', url, scopes: pullScopes(repository) });
    response.body.resume();
    if (response.status === 200) return true;
    if (response.status === 404) return false;
    throw await this.#transport.failure(response, `blob ${digest} of ${repository}`);
  }

  /** Stores bytes, or a stream whose digest is computed on the way. */
  pushBlob(repository: string, content: Buffer | Readable): Promise<UploadedBlob> {
    return uploadBlob(this.#transport, repository, content);
  }

  /** Stores a manifest under a tag, or under its digest alone when `tag` is null. */
  async pushManifest(
    repository: string,
    tag: string | null,
    manifest: { readonly bytes: Buffer; readonly mediaType: string },
  ): Promise<Digest> {
    const digest = digestOf(manifest.bytes);
    const response = await this.#transport.send({
      method: 'PUT',
      url: `/v2/${repository}/manifests/${tag ?? digest}`,
      scopes: [`repository:${repository}:pull,push`],
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
    });
    if (response.status !== 201)
      throw await this.#transport.failure(response, `manifest ${repository}:${tag ?? digest}`);
    response.body.resume();
    return digest;
  }

  /** All tags of a repository, in the registry's order. */
  async listTags(repository: string): Promise<string[]> {
    const tags: string[] = [];
    for await (const body of this.#pages(
      `/v2/${repository}/tags/list`,
      repository,
      `tags of ${repository}`,
    )) {
      if (body === null)
        throw ociErrors.create('OCI_NOT_FOUND', { what: repository, target: this.#transport.host });
      const document = parseJsonObject(body);
      const list = typeof document === 'string' ? undefined : (document['tags'] ?? []);
      if (!Array.isArray(list))
        throw this.#badAnswer(`tags of ${repository}`, 'there is no list of tags in it');
      for (const tag of list) if (typeof tag === 'string') tags.push(tag);
      if (tags.length > MAX_TAGS)
        throw this.#badAnswer(`tags of ${repository}`, `more than ${MAX_TAGS} tags`);
    }
    return tags;
  }

  /** Manifests whose subject this one is; from the tag `sha256-<hex>` where the registry has no referrers API. */
  async referrers(repository: string, digest: Digest, artifactType?: string): Promise<Descriptor[]> {
    const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
    const what = `referrers of ${digest}`;
    const found: Descriptor[] = [];
    for await (const page of this.#pages(
      `/v2/${repository}/referrers/${digest}${filter}`,
      repository,
      what,
    )) {
      const body = page ?? (await this.#referrersTag(repository, digest));
      if (body === null) break;
      const index = parseManifest(body, OCI_IMAGE_INDEX);
      if (index.kind === 'index') found.push(...index.manifests);
      if (found.length > MAX_REFERRERS) throw this.#badAnswer(what, `more than ${MAX_REFERRERS}`);
    }
    return artifactType === undefined ? found : found.filter((entry) => entry.artifactType === artifactType);
  }

  async #referrersTag(repository: string, digest: Digest): Promise<Buffer | null> {
    try {
      return (await this.manifest(repository, `${digestAlgorithm(digest)}-${digestHex(digest)}`)).bytes;
    } catch (error) {
      if (ociErrors.is(error, 'OCI_NOT_FOUND')) return null;
      throw error;
    }
  }

  /** The pages of a list (RFC 8288 `Link: …; rel="next"`); one null when it does not exist. */
  async *#pages(path: string, repository: string, what: string): AsyncGenerator<Buffer | null> {
    let url: URL = new URL(path, this.#transport.base);
    for (let page = 0; page < MAX_PAGES; page++) {
      const { response, body } = await this.#transport.read(
        { url, scopes: pullScopes(repository) },
        MAX_LIST_BYTES,
      );
      if (response.status === 404) {
        yield null;
        return;
      }
      if (response.status !== 200) throw this.#transport.refusal(response.status, body, what);
      yield body;
      const next = /<([^>]{1,4096})>\s*;\s*rel="?next"?/i.exec(String(response.headers.link ?? ''))?.[1];
      if (next === undefined) return;
      url = this.#transport.resolve(next, url);
      if (url.host !== this.#transport.base.host)
        throw this.#badAnswer(what, 'the next page is on another host');
    }
    throw this.#badAnswer(what, `more than ${MAX_PAGES} pages`);
  }

  #badAnswer(what: string, reason: string): Error {
    return ociErrors.create('OCI_REGISTRY_ANSWER', { host: this.#transport.host, what, reason });
  }
}

function pullScopes(repository: string): string[] {
  return [`repository:${repository}:pull`];
}
