// Takes the bytes of uploads: chunks, closing requests, whole blobs; and leaves a session resumable when anything fails.
import { MiB } from '../core/index.ts';
import { DigestHasher, digestAlgorithm } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError } from './distribution-errors.ts';
import { parseContentRange, uploadRange } from './ranges.ts';
import { ClientGone, declaredLength, welcomeBody } from './request-body.ts';
import type { UploadRow } from './store-uploads.ts';
import { completeBlob } from './upload-completion.ts';
import { BodyTooLong, receiveBody } from './upload-pump.ts';
import type { PumpTarget } from './upload-pump.ts';
import type { HeldUpload } from './upload-sessions.ts';

/** A running upload is made durable and recorded this often, so that a crash costs little and it is never taken for stale. */
const CHECKPOINT_BYTES = 256 * MiB;
const CHECKPOINT_MS = 5 * 60_000;

/** PATCH: appends a chunk. Resolves to the session as it stands after it. */
export async function receiveChunk(
  context: RegistryContext,
  exchange: Exchange,
  row: UploadRow,
): Promise<UploadRow> {
  const expected = expectedLength(exchange, row);
  const held = await context.uploads.hold(row);
  await append(context, exchange, held, expected);
  await context.uploads.advance(held);
  return held.row;
}

/** PUT: appends what the body holds and turns the session into a blob. */
export async function finishUpload(
  context: RegistryContext,
  exchange: Exchange,
  row: UploadRow,
  digest: Digest,
): Promise<void> {
  const expected = expectedLength(exchange, row);
  let held = await context.uploads.hold(row);
  if (held.writer.size === 0 && held.hasher !== null && held.hasher.algorithm !== digestAlgorithm(digest)) {
    // Nothing was hashed yet, so the right algorithm can still be chosen.
    held = { ...held, hasher: new DigestHasher(digestAlgorithm(digest)) };
  }
  const bodyIsEmpty = declaredLength(exchange.request) === 0;
  if (!bodyIsEmpty) await append(context, exchange, held, expected);
  const { socket } = exchange.request;
  const idleMs = socket.timeout ?? 0;
  // Reading a large blob again may take longer than a connection may be silent; it is this side that is at work now.
  socket.setTimeout(0);
  try {
    await completeBlob(context, { ...held, repository: row.repository, digest, upload: held.row });
  } catch (error) {
    // A wrong digest has ended the session; after anything else it goes on from what is durable.
    if (!(error instanceof DistributionError)) await context.uploads.drop(row.id);
    throw error;
  } finally {
    socket.setTimeout(idleMs);
    context.uploads.forget(row.id);
  }
}

/** POST with `?digest=`: takes a whole blob without a session. */
export async function receiveWholeBlob(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  const expected = declaredLength(exchange.request);
  if (expected !== undefined && expected > context.maxBlobBytes) throw blobTooLarge(context);
  const writer = await context.store.blobs.create();
  const unprotect = context.uploads.protect(writer.id);
  const hasher = new DigestHasher(digestAlgorithm(digest));
  try {
    await receive(context, exchange, { writer, hasher, limit: expected ?? context.maxBlobBytes }).catch(
      async (error: unknown) => {
        await writer.abort().catch(() => undefined);
        throw error instanceof BodyTooLong ? blobTooLarge(context) : error;
      },
    );
    // When this fails the object stays: the transaction may have been committed although nobody heard of it.
    await completeBlob(context, { repository, digest, writer, hasher, upload: null });
  } finally {
    unprotect();
  }
}

/** How many bytes the body must have, from `Content-Range` and `Content-Length`. Ends the request with 416 out of order. */
function expectedLength(exchange: Exchange, row: UploadRow): number | undefined {
  const declared = declaredLength(exchange.request);
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return declared;
  const range = parseContentRange(header);
  if (range === undefined || range.start !== row.size) throw outOfOrder(row);
  const length = range.end - range.start + 1;
  if (declared !== undefined && declared !== length) {
    throw new DistributionError(400, {
      code: 'SIZE_INVALID',
      message: 'Content-Range and Content-Length disagree',
    });
  }
  return length;
}

function outOfOrder(row: UploadRow): DistributionError {
  return new DistributionError(
    416,
    { code: 'BLOB_UPLOAD_INVALID', message: 'the chunk does not start where the upload ends' },
    progressHeaders(row),
  );
}

/** Where an upload goes on. */
export function progressHeaders(row: UploadRow): Record<string, string> {
  return {
    location: `/v2/${row.repository}/blobs/uploads/${row.id}`,
    range: uploadRange(row.size),
    'docker-upload-uuid': row.id,
  };
}

function blobTooLarge(context: RegistryContext): DistributionError {
  return new DistributionError(413, {
    code: 'SIZE_INVALID',
    message: `a blob may have at most ${context.maxBlobBytes} bytes`,
  });
}

/**
 * Appends the body to a held session. Afterwards the session either holds exactly the body more, or (client gone) what
 * came of it, or (too long, too short, storage failed) what was durable before.
 */
async function append(
  context: RegistryContext,
  exchange: Exchange,
  held: HeldUpload,
  expected: number | undefined,
): Promise<void> {
  const room = context.maxBlobBytes - held.writer.size;
  if (expected !== undefined && expected > room) throw blobTooLarge(context);
  const id = held.row.id;
  let received: number;
  try {
    received = await receive(context, exchange, {
      writer: held.writer,
      hasher: held.hasher,
      limit: expected ?? room,
      checkpoint: checkpoints(context, held),
    });
  } catch (error) {
    if (error instanceof ClientGone) await context.uploads.advance(held);
    else await context.uploads.drop(id);
    if (!(error instanceof BodyTooLong)) throw error;
    throw expected === undefined ? blobTooLarge(context) : sizeInvalid();
  }
  if (expected !== undefined && received !== expected) {
    await context.uploads.drop(id);
    throw sizeInvalid();
  }
}

function sizeInvalid(): DistributionError {
  return new DistributionError(400, { code: 'SIZE_INVALID' });
}

function checkpoints(context: RegistryContext, held: HeldUpload): () => Promise<void> {
  let size = held.writer.size;
  let at = context.clock.now();
  return async () => {
    const now = context.clock.now();
    if (held.writer.size - size < CHECKPOINT_BYTES && now - at < CHECKPOINT_MS) return;
    size = held.writer.size;
    at = now;
    await context.uploads.advance(held);
  };
}

async function receive(context: RegistryContext, exchange: Exchange, target: PumpTarget): Promise<number> {
  const { request, response } = exchange;
  const before = target.writer.size;
  const unwatch = context.transfers.add({
    moved: () => target.writer.size,
    stop: () => request.destroy(),
  });
  try {
    welcomeBody(request, response);
    return await receiveBody(request, target);
  } finally {
    unwatch();
    context.instruments.receivedBytes += Math.max(0, target.writer.size - before);
  }
}
