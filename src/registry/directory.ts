// The registry's answers to folders that may not import it: which images are stored, and where (core/image-directory.ts).
import type { ImageDirectory, StoredImage } from '../core/index.ts';
import { isRepositoryName, isTag, parseDigest } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { readCursor, writeCursor } from './cursors.ts';
import { registryErrors } from './errors.ts';
import { listImageKeys, readImages } from './store-images.ts';
import { findManifest, findTag } from './store-manifests.ts';

const MAX_LIST = 1_000;

/** Reads from SQL at every call; not for hot paths. */
export function createImageDirectory(store: Store): ImageDirectory {
  const { db } = store;
  return {
    async list({ repository, limit, cursor }) {
      const size = Math.max(1, Math.min(limit, MAX_LIST));
      const keys = await listImageKeys(db, {
        repository: repository ?? null,
        limit: size + 1,
        after: cursor === undefined ? null : readPlace(cursor),
      });
      const page = keys.slice(0, size);
      const last = page.at(-1);
      const images = await readImages(
        db,
        page.map((key) => key.digest),
      );
      return {
        images,
        nextCursor:
          keys.length > size && last !== undefined ? writeCursor([last.pushedAt, last.digest]) : null,
      };
    },
    async find(digest): Promise<StoredImage | undefined> {
      if (parseDigest(digest) === undefined) return undefined;
      return (await readImages(db, [digest]))[0];
    },
    findMany: (digests) => readImages(db, digests),
    async resolve(reference) {
      const place = splitReference(reference);
      if (place === undefined) return undefined;
      if (place.digest === undefined) return findTag(db, place.repository, place.tag);
      const found = await findManifest(db, place.repository, place.digest);
      return found === undefined ? undefined : place.digest;
    },
  };
}

function readPlace(cursor: string): { readonly pushedAt: Date; readonly digest: string } {
  const [time = '', digest = ''] = readCursor(cursor, 2);
  const pushedAt = new Date(time);
  // The database knows no year before 4713 BC, and ours are written without a sign.
  if (Number.isNaN(pushedAt.getTime()) || !/^\d/.test(time))
    throw registryErrors.create('REGISTRY_CURSOR_INVALID');
  return { pushedAt, digest };
}

/** `repository:tag`, `repository@digest` or `repository` (the tag is then `latest`), as stored here: without a host. */
function splitReference(
  reference: string,
): { repository: string; tag: string; digest: string | undefined } | undefined {
  const at = reference.indexOf('@');
  const digest = at < 0 ? undefined : parseDigest(reference.slice(at + 1));
  if (at >= 0 && digest === undefined) return undefined;
  const name = at < 0 ? reference : reference.slice(0, at);
  const colon = name.lastIndexOf(':');
  const repository = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? 'latest' : name.slice(colon + 1);
  return isRepositoryName(repository) && isTag(tag) ? { repository, tag, digest } : undefined;
}
