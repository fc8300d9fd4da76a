// An image in a registry.
import type { Readable } from 'node:stream';
import { verifyContent } from '../digest.ts';
import { formatReference, type Reference } from '../reference.ts';
import { RegistryClient } from '../registry-client/client.ts';
import type { TransportOptions } from '../registry-client/transport.ts';
import type { Descriptor, ImageSource, RootManifest } from '../types.ts';

/**
 * An image by reference; without tag and digest `latest` is meant, and with both the digest counts. Nothing is asked
 * of the registry before the first read. Fails as `RegistryClient` does.
 */
export function openRegistryImage(reference: Reference, options: TransportOptions = {}): ImageSource {
  return new RegistryImage(reference, new RegistryClient(reference.registry, options));
}

class RegistryImage implements ImageSource {
  readonly target: string;
  readonly #reference: Reference;
  readonly #client: RegistryClient;
  #root: Promise<RootManifest> | null = null;

  constructor(reference: Reference, client: RegistryClient) {
    this.target = formatReference(reference);
    this.#reference = reference;
    this.#client = client;
  }

  root(): Promise<RootManifest> {
    const { repository, tag, digest } = this.#reference;
    this.#root ??= this.#client.manifest(repository, digest ?? tag ?? 'latest');
    return this.#root;
  }

  async manifest(descriptor: Descriptor): Promise<Buffer> {
    const { bytes } = await this.#client.manifest(this.#reference.repository, descriptor.digest);
    verifyContent(descriptor, bytes);
    return bytes;
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Readable> {
    return this.#client.blob(this.#reference.repository, descriptor, signal);
  }

  async close(): Promise<void> {}
}
