// Blob uploads: `/v2/<name>/blobs/uploads/` and the sessions below it (OCI distribution-spec end-4 to end-6, end-11, end-13, end-14).
import { permits, type Access } from '../identity/index.ts';
import { parseDigest, digestAlgorithm, digestOf, isRepositoryName } from '../oci/index.ts';
import type { Digest, DigestAlgorithm } from '../oci/index.ts';
import { authorize } from './authorization.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError, digestInvalid, methodNotAllowed, uploadTaken } from './distribution-errors.ts';
import { declaredLength } from './request-body.ts';
import { sendEmpty } from './responses.ts';
import { linkBlob } from './store-blobs.ts';
import { deleteUpload, insertUpload } from './store-uploads.ts';
import type { UploadRow } from './store-uploads.ts';
import { inTransaction } from './store.ts';
import type { UploadClaim } from './upload-sessions.ts';
import { finishUpload, progressHeaders, receiveChunk, receiveWholeBlob } from './upload-transfer.ts';
import { removeObject } from './upload-completion.ts';

/** Chunks below this (but for the last) are taken too; object stores need parts this large, so clients are told. */
const CHUNK_MIN_BYTES = 8 * 1024 * 1024;

/** Starts an upload, takes a whole blob at once, or mounts one from another repository. */
export async function serveUploads(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
): Promise<void> {
  if (exchange.request.method !== 'POST') throw methodNotAllowed('POST');
  const { query, request } = exchange;
  const mount = query.get('mount');
  const from = query.get('from');
  const access = await authorize(context, exchange, {
    type: 'repository',
    name: repository,
    action: 'push',
    ...(mount !== null && from !== null && isRepositoryName(from) ? { mountFrom: from } : {}),
  });
  if (mount !== null && (await mounted(context, access, repository, mount, from))) {
    sendCreated(exchange, repository, mount);
    return;
  }
  const digest = query.get('digest');
  if (digest !== null && mount === null) {
    const wanted = requireDigest(digest);
    // Without a body the client means to send it to the location it gets.
    const isEmpty = declaredLength(request) === 0;
    if (!isEmpty || wanted === digestOf('', digestAlgorithm(wanted))) {
      await receiveWholeBlob(context, exchange, repository, wanted);
      sendCreated(exchange, repository, wanted);
      return;
    }
  }
  await startUpload(context, exchange, repository, access);
}

/** Routes the methods of an upload session. */
export async function serveUpload(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  const { method } = exchange.request;
  if (method !== 'GET' && method !== 'PATCH' && method !== 'PUT' && method !== 'DELETE') {
    throw methodNotAllowed('GET, PATCH, PUT, DELETE');
  }
  const access = await authorize(context, exchange, { type: 'repository', name: repository, action: 'push' });
  const owner = access.subject.name;
  if (method === 'GET') {
    const row = await requireUpload(context, repository, id, owner);
    sendProgress(exchange, 204, row);
    return;
  }
  const digest = method === 'PUT' ? requireDigest(exchange.query.get('digest') ?? '') : undefined;
  const claim: UploadClaim = {
    breakOff: () => exchange.request.destroy(),
    mayTakeOver: async () => (await context.uploads.find(id, repository, owner)) !== undefined,
  };
  await context.uploads.exclusively(id, claim, async () => {
    const row = await requireUpload(context, repository, id, owner);
    if (method === 'DELETE') await cancelUpload(context, exchange, row);
    else if (digest === undefined) sendProgress(exchange, 202, await receiveChunk(context, exchange, row));
    else {
      await finishUpload(context, exchange, row, digest);
      sendCreated(exchange, repository, digest);
    }
  });
}

async function startUpload(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  access: Access,
): Promise<void> {
  const row: UploadRow = {
    id: context.randomness.uuid(),
    repository,
    owner: access.subject.name,
    objectId: null,
    algorithm: readAlgorithm(exchange.query.get('digest-algorithm')),
    size: 0,
    revision: 0,
  };
  await insertUpload(context.store.db, row, new Date(context.clock.now()));
  sendProgress(exchange, 202, row, { 'oci-chunk-min-length': String(CHUNK_MIN_BYTES) });
}

function readAlgorithm(name: string | null): DigestAlgorithm {
  if (name === null || name === 'sha256') return 'sha256';
  if (name === 'sha512') return 'sha512';
  throw digestInvalid(name, 'the digest algorithm must be sha256 or sha512');
}

function requireDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw digestInvalid(text, 'the digest is not valid');
  return digest;
}

async function requireUpload(
  context: RegistryContext,
  repository: string,
  id: string,
  owner: string,
): Promise<UploadRow> {
  const row = id.length > 64 ? undefined : await context.uploads.find(id, repository, owner);
  if (row !== undefined) return row;
  throw new DistributionError(404, { code: 'BLOB_UPLOAD_UNKNOWN', detail: { upload: id.slice(0, 64) } });
}

/**
 * Links a blob from another repository that the caller may pull from. Without `from` only a caller who may read
 * everything gets it from anywhere; a digest alone proves nothing.
 */
async function mounted(
  context: RegistryContext,
  access: Access,
  repository: string,
  mount: string,
  from: string | null,
): Promise<boolean> {
  const digest = parseDigest(mount);
  if (digest === undefined) return false;
  const { store, caches } = context;
  if ((await caches.blob(repository, digest)) === undefined) {
    if (from === null || from === '') {
      if (access.grants !== null) return false;
    } else {
      if (!isRepositoryName(from) || !permits(access, from, 'pull')) return false;
      if ((await caches.blob(from, digest)) === undefined) return false;
    }
  }
  // Also when it is linked already: the link is renewed, so that garbage collection leaves it to the push to come.
  const at = new Date(context.clock.now());
  return inTransaction(store.db, (transaction) => linkBlob(transaction, repository, digest, at));
}

async function cancelUpload(context: RegistryContext, exchange: Exchange, row: UploadRow): Promise<void> {
  await context.uploads.drop(row.id);
  if (!(await deleteUpload(context.store.db, row))) throw uploadTaken();
  if (row.objectId !== null) await removeObject(context, row.objectId);
  sendEmpty(exchange, 204, {});
}

function sendProgress(
  exchange: Exchange,
  status: 202 | 204,
  row: UploadRow,
  more: Readonly<Record<string, string>> = {},
): void {
  sendEmpty(exchange, status, { ...progressHeaders(row), ...more });
}

function sendCreated(exchange: Exchange, repository: string, digest: string): void {
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}
