// Referrers: GET `/v2/<name>/referrers/<digest>` (OCI distribution-spec end-12a, end-12b).
import { MAX_MANIFEST_BYTES } from '../core/index.ts';
import { OCI_IMAGE_INDEX, parseDigest } from '../oci/index.ts';
import { authorize } from './authorization.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { digestInvalid, methodNotAllowed } from './distribution-errors.ts';
import { nextLink } from './responses.ts';
import { listReferrers, readReferrers } from './store-lists.ts';
import type { ReferrerSize } from './store-lists.ts';

const PAGE_ENTRIES = 500;
/** An answer must be readable as a manifest, so it may not be larger than one; some room is left for its frame. */
const PAGE_BYTES = MAX_MANIFEST_BYTES - 1_024;

/**
 * Lists the manifests whose `subject` is the digest, present or not. Manifests that clients also list under the
 * fallback tag (`sha256-<hex>`) are in it by their own `subject`: every stored manifest is indexed by it, so the tag
 * adds nothing, and what it lists without such a subject does not belong here.
 */
export async function serveReferrers(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  subject: string,
): Promise<void> {
  const { request, response, query } = exchange;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
  await authorize(context, exchange, { type: 'repository', name: repository, action: 'pull' });
  if (parseDigest(subject) === undefined) throw digestInvalid(subject, 'the digest is not valid');
  const artifactType = emptyAsNull(query.get('artifactType'));
  const { db } = context.store;
  const { repositoryId, sizes } = await listReferrers(db, repository, subject, {
    artifactType,
    after: emptyAsNull(query.get('last')),
    limit: PAGE_ENTRIES + 1,
  });
  const page = fitPage(sizes);
  const descriptors = await readReferrers(db, repositoryId, page);
  const body = `{"schemaVersion":2,"mediaType":"${OCI_IMAGE_INDEX}","manifests":[${descriptors.join(',')}]}`;
  const last = page.at(-1);
  const more = page.length < sizes.length && last !== undefined;
  response.writeHead(200, {
    'content-type': OCI_IMAGE_INDEX,
    'content-length': String(Buffer.byteLength(body)),
    'docker-distribution-api-version': 'registry/2.0',
    'x-content-type-options': 'nosniff',
    ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    ...(more
      ? {
          link: nextLink(`/v2/${repository}/referrers/${subject}`, {
            ...(artifactType === null ? {} : { artifactType }),
            last,
          }),
        }
      : {}),
  });
  response.end(body);
}

/** As many as fit in one answer, at least one. */
function fitPage(sizes: readonly ReferrerSize[]): string[] {
  const page: string[] = [];
  let bytes = 0;
  for (const { digest, size } of sizes) {
    bytes += size + 1;
    if (page.length > 0 && (bytes > PAGE_BYTES || page.length >= PAGE_ENTRIES)) break;
    page.push(digest);
  }
  return page;
}

function emptyAsNull(value: string | null): string | null {
  return value === null || value === '' ? null : value;
}
