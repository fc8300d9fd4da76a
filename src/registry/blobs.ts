// Blob pulls and deletes: `/v2/<name>/blobs/<digest>` (OCI distribution-spec end-2, end-10), with ranges (RFC 9110 section 14).
import { parseDigest } from '../oci/index.ts';
import { authorize } from './authorization.ts';
import { blobKey } from './caches.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError, blobUnknown, digestInvalid, methodNotAllowed } from './distribution-errors.ts';
import { parseRange } from './ranges.ts';
import { matchesEtag, namespaceOf, sendEmpty } from './responses.ts';
import { inTransaction } from './store.ts';
import { unlinkBlob } from './store-blobs.ts';
import type { StoredBlob } from './store-blobs.ts';

/** Routes the methods of a blob. */
export async function serveBlob(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: string,
): Promise<void> {
  switch (exchange.request.method) {
    case 'GET':
    case 'HEAD':
      return pullBlob(context, exchange, repository, digest);
    case 'DELETE':
      return deleteBlob(context, exchange, repository, digest);
    default:
      throw methodNotAllowed('GET, HEAD, DELETE');
  }
}

async function pullBlob(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: string,
): Promise<void> {
  await authorize(context, exchange, { type: 'repository', name: repository, action: 'pull' });
  if (parseDigest(digest) === undefined) throw digestInvalid(digest, 'the digest is not valid');
  const blob = await context.caches.blob(repository, digest);
  if (blob === undefined) throw blobUnknown(digest);
  const { request, response } = exchange;
  const headers = blobHeaders(exchange, digest);
  if (matchesEtag(request.headers['if-none-match'], `"${digest}"`)) {
    sendEmpty(exchange, 304, headers);
    return;
  }
  const range = parseRange(rangeHeader(exchange, digest), blob.size);
  if (range.kind === 'unsatisfiable') {
    throw new DistributionError(
      416,
      { code: 'SIZE_INVALID', message: 'the blob has no such bytes' },
      { 'content-range': `bytes */${blob.size}`, 'docker-content-digest': digest },
    );
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: blob.size - 1 };
  // Not `writeHead`: the head goes out with the first bytes, so that an object that cannot be opened is still an error.
  response.statusCode = range.kind === 'part' ? 206 : 200;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', String(end - start + 1));
  if (range.kind === 'part') response.setHeader('content-range', `bytes ${start}-${end}/${blob.size}`);
  if (request.method === 'HEAD' || blob.size === 0) response.end();
  else await send(context, exchange, blob, start, end);
}

/** `If-Range` with another entity tag makes the range void. */
function rangeHeader(exchange: Exchange, digest: string): string | undefined {
  const { headers, method } = exchange.request;
  if (method !== 'GET') return undefined;
  const condition = headers['if-range'];
  return condition !== undefined && condition !== `"${digest}"` ? undefined : headers.range;
}

function blobHeaders(exchange: Exchange, digest: string): Record<string, string> {
  const namespace = namespaceOf(exchange);
  return {
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
    // The content of a digest never changes; only who may read it does, so shared caches must not keep it.
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    ...(namespace === undefined ? {} : { 'oci-namespace': namespace }),
  };
}

async function send(
  context: RegistryContext,
  exchange: Exchange,
  blob: StoredBlob,
  start: number,
  end: number,
): Promise<void> {
  const { response } = exchange;
  const { socket } = response;
  const before = socket?.bytesWritten ?? 0;
  const unwatch = context.transfers.add({
    moved: () => (socket === null ? 0 : socket.bytesWritten - socket.writableLength - before),
    stop: () => response.destroy(),
  });
  response.on('error', ignoreError);
  try {
    await context.store.blobs.send(blob.objectId, { start, end }, response);
    context.instruments.sentBytes += end - start + 1;
    response.end();
  } catch (error) {
    const gone = response.destroyed || socket?.destroyed === true;
    if (!gone) throw error;
    response.destroy();
  } finally {
    unwatch();
  }
}

function ignoreError(): void {
  // The error comes back through the promise of `send` as well.
}

async function deleteBlob(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: string,
): Promise<void> {
  const access = await authorize(context, exchange, {
    type: 'repository',
    name: repository,
    action: 'delete',
  });
  if (parseDigest(digest) === undefined) throw digestInvalid(digest, 'the digest is not valid');
  const { store } = context;
  const keys = [blobKey(repository, digest)];
  const removed = await inTransaction(store.db, async (transaction) => {
    if (!(await unlinkBlob(transaction, repository, digest))) return false;
    await store.audit.record(transaction, {
      action: 'blob.delete',
      actor: access.subject.name,
      target: `${repository}@${digest}`,
      result: 'success',
      address: exchange.address,
    });
    await store.invalidations.record(transaction, keys);
    return true;
  });
  store.invalidations.apply(keys);
  if (!removed) throw blobUnknown(digest);
  sendEmpty(exchange, 202, {});
}
