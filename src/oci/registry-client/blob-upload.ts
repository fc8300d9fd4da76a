// Uploads a blob in one session (OCI distribution-spec "Pushing blobs": POST, then PUT, or PATCH and PUT for a stream).
import { pipeline, type Readable } from 'node:stream';
import { DigestStream, digestOf } from '../digest.ts';
import { ociErrors } from '../errors.ts';
import type { Digest } from '../types.ts';
import type { RegistryTransport } from './transport.ts';

const OCTETS = 'application/octet-stream';

/** What was stored. */
export interface UploadedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** Uploads bytes, or a stream of unknown length whose digest is computed on the way. */
export async function uploadBlob(
  transport: RegistryTransport,
  repository: string,
  content: Buffer | Readable,
): Promise<UploadedBlob> {
  const scopes = [`repository:${repository}:pull,push`];
  const start = `/v2/${repository}/blobs/uploads/`;
  const response = await transport.send({
    method: 'POST',
    url: start,
    scopes,
    headers: { 'content-length': '0' },
  });
  if (response.status !== 202) throw await transport.failure(response, `an upload to ${repository}`);
  response.body.resume();
  let session = transport.resolve(response.headers.location, start);
  let blob: UploadedBlob;
  let body: Buffer = Buffer.alloc(0);
  if (Buffer.isBuffer(content)) {
    blob = { digest: digestOf(content), size: content.length };
    body = content;
  } else {
    const sent = await sendStream(transport, repository, session, content);
    blob = sent.blob;
    session = sent.session;
  }
  session.searchParams.set('digest', blob.digest);
  const headers = { 'content-type': OCTETS };
  const finished = await transport.send({ method: 'PUT', url: session, scopes, headers, body });
  if (finished.status !== 201)
    throw await transport.failure(finished, `blob ${blob.digest} of ${repository}`);
  finished.body.resume();
  return blob;
}

async function sendStream(
  transport: RegistryTransport,
  repository: string,
  session: URL,
  content: Readable,
): Promise<{ blob: UploadedBlob; session: URL }> {
  const hashing = new DigestStream();
  let failure: unknown;
  pipeline(content, hashing, (error) => (failure = error ?? undefined));
  try {
    const response = await transport.send({
      method: 'PATCH',
      url: session,
      scopes: [`repository:${repository}:pull,push`],
      headers: { 'content-type': OCTETS },
      body: hashing,
    });
    if (response.status !== 202) throw await transport.failure(response, `an upload to ${repository}`);
    response.body.resume();
    const { digest, size } = hashing;
    if (digest === null) {
      const reason = 'it accepted an upload before its end';
      throw ociErrors.create('OCI_REGISTRY_ANSWER', { host: transport.host, what: 'an upload', reason });
    }
    return { blob: { digest, size }, session: transport.resolve(response.headers.location, session) };
  } catch (error) {
    throw failure ?? error;
  } finally {
    hashing.destroy();
  }
}
