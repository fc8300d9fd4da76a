// Turns a written object into a blob of a repository: durable bytes, right digest, one transaction.
import { describeError } from '../core/index.ts';
import { DigestHasher, digestAlgorithm } from '../oci/index.ts';
import type { Digest, DigestAlgorithm } from '../oci/index.ts';
import type { BlobWriter } from '../store/index.ts';
import { EVERYTHING_KEY } from './caches.ts';
import type { RegistryContext } from './context.ts';
import { digestInvalid, uploadTaken } from './distribution-errors.ts';
import { replaceBlobObject, storeBlob } from './store-blobs.ts';
import { deleteUpload } from './store-uploads.ts';
import { inTransaction } from './store.ts';

export interface Completion {
  readonly repository: string;
  readonly digest: Digest;
  readonly writer: BlobWriter;
  /** The running digest of all bytes, or null to read them again. */
  readonly hasher: DigestHasher | null;
  /** The session that ends with this, if there was one. */
  readonly upload: { readonly id: string; readonly revision: number } | null;
}

/**
 * Makes the object durable, checks its digest and links it to the repository. When the same content is stored
 * already, that stays and the new object goes.
 * Ends the request with 400 when the digest is another; the object is then removed. Ends it with 409 when another
 * process has ended the session or gone on with it meanwhile: the object is that one's, and may be gone or changed.
 */
export async function completeBlob(context: RegistryContext, completion: Completion): Promise<void> {
  const { store } = context;
  const { writer, digest, repository, upload } = completion;
  await writer.finish();
  const actual = await digestOfObject(context, completion, digestAlgorithm(digest));
  if (actual !== digest) {
    if (upload === null || (await deleteUpload(store.db, upload))) await removeObject(context, writer.id);
    throw digestInvalid(digest);
  }
  const mark = context.caches.mark();
  const kept = await inTransaction(store.db, async (transaction) => {
    if (upload !== null && !(await deleteUpload(transaction, upload))) throw uploadTaken();
    return storeBlob(transaction, {
      repository,
      digest,
      size: writer.size,
      objectId: writer.id,
      at: new Date(context.clock.now()),
    });
  });
  if (kept.objectId !== writer.id) await settleDuplicate(context, completion, kept.objectId);
  context.caches.keepBlob(mark, repository, digest, { objectId: kept.objectId, size: writer.size });
}

/** The content was stored before. Its object counts, unless it was lost: then the new one takes its place. */
async function settleDuplicate(
  context: RegistryContext,
  completion: Completion,
  keptObject: string,
): Promise<void> {
  const { store } = context;
  const { writer, digest } = completion;
  if ((await store.blobs.size(keptObject)) === writer.size) {
    await removeObject(context, writer.id);
    return;
  }
  context.logger.error(
    { digest, object: keptObject },
    'a stored blob was missing its bytes; pushed again, it is whole',
  );
  const replaced = await inTransaction(store.db, async (transaction) => {
    const done = await replaceBlobObject(transaction, digest, keptObject, writer.id);
    if (done) await store.invalidations.record(transaction, [EVERYTHING_KEY]);
    return done;
  });
  store.invalidations.apply([EVERYTHING_KEY]);
  if (!replaced) await removeObject(context, writer.id);
}

/** Removing may fail without harm: what nothing refers to is found by garbage collection. */
export async function removeObject(context: RegistryContext, objectId: string): Promise<void> {
  try {
    await context.store.blobs.remove(objectId);
  } catch (error) {
    context.logger.warn({ object: objectId, err: error }, `an object stays for now: ${describeError(error)}`);
  }
}

async function digestOfObject(
  context: RegistryContext,
  completion: Completion,
  algorithm: DigestAlgorithm,
): Promise<Digest> {
  const { hasher, writer } = completion;
  if (hasher !== null && hasher.algorithm === algorithm && hasher.size === writer.size)
    return hasher.digest();
  const fresh = new DigestHasher(algorithm);
  const bytes: AsyncIterable<Buffer> = await context.store.blobs.read(writer.id, {
    start: 0,
    end: writer.size - 1,
  });
  for await (const chunk of bytes) fresh.update(chunk);
  return fresh.digest();
}
