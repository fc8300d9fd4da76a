// Manifest pulls: GET and HEAD `/v2/<name>/manifests/<reference>` (OCI distribution-spec end-3). The hottest path of the registry.
import { isTag, parseDigest } from '../oci/index.ts';
import { authorize } from './authorization.ts';
import type { ServedManifest } from './caches.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { digestInvalid, manifestUnknown, methodNotAllowed } from './distribution-errors.ts';
import { pushManifest } from './manifest-push.ts';
import { removeReference } from './removal.ts';
import { matchesEtag, namespaceOf, sendEmpty } from './responses.ts';

/** Routes the methods of a manifest. */
export async function serveManifest(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  switch (exchange.request.method) {
    case 'GET':
    case 'HEAD':
      return pullManifest(context, exchange, repository, reference);
    case 'PUT':
      return pushManifest(context, exchange, repository, reference);
    case 'DELETE':
      return deleteByReference(context, exchange, repository, reference);
    default:
      throw methodNotAllowed('GET, HEAD, PUT, DELETE');
  }
}

async function pullManifest(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const access = await authorize(context, exchange, { type: 'repository', name: repository, action: 'pull' });
  const isDigest = isDigestReference(reference);
  const manifest =
    context.caches.peek(repository, reference, isDigest) ??
    (await lookUp(context, repository, reference, isDigest));
  if (manifest === undefined) throw manifestUnknown(repository, reference);
  const { request, response } = exchange;
  const namespace = namespaceOf(exchange);
  if (matchesEtag(request.headers['if-none-match'], manifest.etag)) {
    sendEmpty(exchange, 304, {
      'docker-content-digest': manifest.digest,
      etag: manifest.etag,
      ...(namespace === undefined ? {} : { 'oci-namespace': namespace }),
    });
    return;
  }
  response.writeHead(
    200,
    namespace === undefined ? [...manifest.headers] : [...manifest.headers, 'oci-namespace', namespace],
  );
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // HEAD and 304 are how pollers look; a pull takes the bytes. The scanner's own reads do not count.
  if (access.subject.kind !== 'system') {
    context.pulls.record(access.subject.name, exchange.address, repository, manifest.digest);
  }
  response.end(manifest.body);
}

async function lookUp(
  context: RegistryContext,
  repository: string,
  reference: string,
  isDigest: boolean,
): Promise<ServedManifest | undefined> {
  const digest = isDigest ? reference : await context.caches.tag(repository, reference);
  if (digest === undefined) return undefined;
  return context.caches.manifest(repository, digest);
}

/** Is the reference a digest (true) or a tag (false)? Ends the request with 400 or 404 when it is neither. */
export function isDigestReference(reference: string): boolean {
  if (reference.includes(':')) {
    if (parseDigest(reference) === undefined) throw digestInvalid(reference, 'the digest is not valid');
    return true;
  }
  if (!isTag(reference)) throw manifestUnknown('', reference.slice(0, 256));
  return false;
}

async function deleteByReference(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const access = await authorize(context, exchange, {
    type: 'repository',
    name: repository,
    action: 'delete',
  });
  isDigestReference(reference);
  const removed = await removeReference(context, {
    repository,
    reference,
    actor: access.subject.name,
    address: exchange.address,
  });
  if (!removed) throw manifestUnknown(repository, reference);
  sendEmpty(exchange, 202, {});
}
