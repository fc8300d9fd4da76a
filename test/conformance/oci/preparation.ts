// Makes the content that a check needs, by requests that are not under test.
import type { RegistryClient, Reply, Sending } from './client.ts';
import { describe, IMAGE_CONFIG, imageManifest, LAYER, randomContent } from './content.ts';
import type { Content, Descriptor, Manifest, ManifestOptions } from './content.ts';

export class Preparation {
  readonly #client: RegistryClient;

  constructor(client: RegistryClient) {
    this.#client = client;
  }

  /** Sends a request of the preparation. Rejects on another status than the one given. */
  async send(status: number, method: string, target: string, sending?: Sending): Promise<Reply> {
    const reply = await this.#client.send(method, target, sending);
    if (reply.status !== status) {
      throw new Error(`preparation failed: ${method} ${reply.path} answered ${reply.status} ${reply.body}`);
    }
    return reply;
  }

  /** Starts an upload session; resolves to its location. */
  async upload(repository: string): Promise<string> {
    return location(await this.send(202, 'POST', `/v2/${repository}/blobs/uploads/`));
  }

  /** Stores a blob, random unless given. */
  async blob(repository: string, content: Content = randomContent()): Promise<Content> {
    const target = withDigest(await this.upload(repository), content.digest);
    await this.send(201, 'PUT', target, { body: content.bytes, headers: OCTETS });
    return content;
  }

  /** Stores a manifest under its digest or a tag. */
  async put(repository: string, manifest: Manifest, reference = manifest.digest): Promise<Manifest> {
    await this.send(201, 'PUT', `/v2/${repository}/manifests/${reference}`, {
      body: manifest.bytes,
      headers: { 'content-type': manifest.mediaType },
    });
    return manifest;
  }

  /** Stores the blobs of an image of one layer; resolves to its manifest, not stored yet. */
  async unstoredImage(repository: string, options: ManifestOptions = {}): Promise<Manifest> {
    const [config, layer] = await Promise.all([this.blob(repository), this.blob(repository)]);
    return imageManifest(describe(IMAGE_CONFIG, config), [describe(LAYER, layer)], options);
  }

  /** Stores an image of one layer under its digest, and under a tag if one is given. */
  async image(repository: string, tag?: string, options: ManifestOptions = {}): Promise<Manifest> {
    return this.put(repository, await this.unstoredImage(repository, options), tag);
  }

  /** Stores one image and gives it all these tags, in random order. */
  async tags(repository: string, tags: readonly string[]): Promise<void> {
    const manifest = await this.unstoredImage(repository);
    for (const tag of tags.toSorted(() => Math.random() - 0.5)) await this.put(repository, manifest, tag);
  }

  /** Stores an artifact whose config has this media type. */
  async artifact(
    repository: string,
    configType: string,
    options: ManifestOptions & { readonly subject: Descriptor },
  ): Promise<Manifest> {
    const config = await this.blob(repository);
    return this.put(repository, imageManifest(describe(configType, config), [], options));
  }
}

export const OCTETS = { 'content-type': 'application/octet-stream' } as const;

/** The `Location` of an answer; empty when there is none. */
export function location(reply: Reply): string {
  return reply.headers.location ?? '';
}

/** A session's location with the digest that closes it. */
export function withDigest(target: string, digest: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}
