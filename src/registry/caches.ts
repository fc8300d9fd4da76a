// The caches of the pull paths and how changes reach them (design.md decision 2a).
import { MiB } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { CoherentCache } from './cache.ts';
import { findBlob } from './store-blobs.ts';
import type { StoredBlob } from './store-blobs.ts';
import { listWarmManifests } from './store-lists.ts';
import { findManifest, findTag } from './store-manifests.ts';

const PREFIX = 'registry/';

/** Invalidation keys: what changed, for the caches of every process. */
export function tagKey(repository: string, tag: string): string {
  return `registry/tag/${repository}:${tag}`;
}

export function manifestKey(repository: string, digest: string): string {
  return `registry/manifest/${repository}@${digest}`;
}

export function blobKey(repository: string, digest: string): string {
  return `registry/blob/${repository}@${digest}`;
}

/** Everything at once, for changes that touch unknown many repositories. */
export const EVERYTHING_KEY = 'registry/*';

/** A manifest ready to be sent. */
export interface ServedManifest {
  readonly body: Buffer;
  readonly digest: string;
  readonly etag: string;
  /** Names and values of the answer's headers, in turn. */
  readonly headers: readonly string[];
}

/** How many invalidations each cache had seen at one moment. */
export interface CacheMark {
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: number;
}

const WARM_BATCH = 50;
const WARM_MANIFESTS = 1_000;
const WARM_BODY_BYTES = 64 * 1024;

/** Looks up tags, manifests and blobs, from memory where it can. */
export class RegistryCaches {
  readonly #store: Store;
  readonly #tags = new CoherentCache<string>({ maxBytes: 16 * MiB, weigh: (digest) => digest.length });
  readonly #blobs = new CoherentCache<StoredBlob>({
    maxBytes: 16 * MiB,
    weigh: (blob) => blob.objectId.length + 64,
  });
  readonly #manifests: CoherentCache<ServedManifest>;
  readonly #unsubscribe: () => void;

  constructor(store: Store, manifestBytes: number) {
    this.#store = store;
    this.#manifests = new CoherentCache<ServedManifest>({
      maxBytes: manifestBytes,
      weigh: (manifest) => manifest.body.length + 1_024,
    });
    this.#unsubscribe = store.invalidations.subscribe(PREFIX, (key) => this.#forget(key));
  }

  tag(repository: string, tag: string): Promise<string | undefined> {
    const load = (): Promise<string | undefined> => findTag(this.#store.db, repository, tag);
    return this.#store.invalidations.current() ? this.#tags.get(tagKey(repository, tag), load) : load();
  }

  manifest(repository: string, digest: string): Promise<ServedManifest | undefined> {
    const load = async (): Promise<ServedManifest | undefined> => {
      const stored = await findManifest(this.#store.db, repository, digest);
      return stored && prepare(digest, stored.mediaType, stored.body);
    };
    return this.#store.invalidations.current()
      ? this.#manifests.get(manifestKey(repository, digest), load)
      : load();
  }

  /** The manifest behind a tag or digest if memory holds it: no promise on the way. */
  peek(repository: string, reference: string, isDigest: boolean): ServedManifest | undefined {
    if (!this.#store.invalidations.current()) return undefined;
    const digest = isDigest ? reference : this.#tags.peek(tagKey(repository, reference));
    return digest === undefined ? undefined : this.#manifests.peek(manifestKey(repository, digest));
  }

  blob(repository: string, digest: string): Promise<StoredBlob | undefined> {
    const load = (): Promise<StoredBlob | undefined> => findBlob(this.#store.db, repository, digest);
    return this.#store.invalidations.current() ? this.#blobs.get(blobKey(repository, digest), load) : load();
  }

  /** A mark to take before a change, for the two `keep` calls after its commit. */
  mark(): CacheMark {
    return { tags: this.#tags.mark(), manifests: this.#manifests.mark(), blobs: this.#blobs.mark() };
  }

  /**
   * Keeps a manifest just pushed, with the tags it was given, unless anything else was invalidated since `mark`.
   * `invalidated` is how many tags the push itself invalidated.
   */
  keepPushed(
    mark: CacheMark,
    push: {
      readonly repository: string;
      readonly digest: string;
      readonly mediaType: string;
      readonly body: Buffer;
      readonly tags: readonly string[];
      readonly invalidated: number;
    },
  ): void {
    const { repository, digest } = push;
    const manifest = prepare(digest, push.mediaType, push.body);
    this.#manifests.seed(mark.manifests, manifestKey(repository, digest), manifest);
    for (const tag of push.tags)
      this.#tags.seed(mark.tags + push.invalidated, tagKey(repository, tag), digest);
  }

  /** Keeps a blob just stored, unless anything was invalidated since `mark`. */
  keepBlob(mark: CacheMark, repository: string, digest: string, blob: StoredBlob): void {
    this.#blobs.seed(mark.blobs, blobKey(repository, digest), blob);
  }

  /** Reads the manifests most likely to be asked for, and where their blobs lie, so that pulls after a start do not queue behind slow SQL. */
  async warm(): Promise<void> {
    if (!this.#store.invalidations.current()) return;
    const mark = this.mark();
    for (let offset = 0; offset < WARM_MANIFESTS; offset += WARM_BATCH) {
      const rows = await listWarmManifests(this.#store.db, {
        limit: WARM_BATCH,
        maxBytes: WARM_BODY_BYTES,
        offset,
      });
      for (const row of rows) {
        const manifest = prepare(row.digest, row.mediaType, row.body);
        this.#manifests.seed(mark.manifests, manifestKey(row.repository, row.digest), manifest);
        for (const tag of row.tags) this.#tags.seed(mark.tags, tagKey(row.repository, tag), row.digest);
        for (const { digest, ...blob } of row.blobs)
          this.#blobs.seed(mark.blobs, blobKey(row.repository, digest), blob);
      }
      if (rows.length < WARM_BATCH) return;
    }
  }

  /** Bytes held by all three caches. */
  get bytes(): number {
    return this.#tags.bytes + this.#manifests.bytes + this.#blobs.bytes;
  }

  close(): void {
    this.#unsubscribe();
  }

  #forget(key: string): void {
    if (key.endsWith('*')) {
      this.#tags.invalidateAll();
      this.#manifests.invalidateAll();
      this.#blobs.invalidateAll();
    } else if (key.startsWith('registry/tag/')) this.#tags.invalidate(key);
    else if (key.startsWith('registry/manifest/')) this.#manifests.invalidate(key);
    else if (key.startsWith('registry/blob/')) this.#blobs.invalidate(key);
  }
}

function prepare(digest: string, mediaType: string, received: Buffer): ServedManifest {
  // A piece of a larger buffer would keep all of that in memory for as long as it is cached.
  const body = Buffer.allocUnsafeSlow(received.length);
  received.copy(body);
  const etag = `"${digest}"`;
  return {
    body,
    digest,
    etag,
    headers: [
      'content-type',
      mediaType,
      'content-length',
      String(body.length),
      'docker-content-digest',
      digest,
      'etag',
      etag,
      'docker-distribution-api-version',
      'registry/2.0',
      'x-content-type-options',
      'nosniff',
    ],
  };
}
