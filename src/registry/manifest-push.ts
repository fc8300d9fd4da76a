// Manifest pushes: PUT `/v2/<name>/manifests/<reference>` (OCI distribution-spec end-7a, end-7b), in the order of design.md decision 2c.
import { MAX_MANIFEST_BYTES, SCAN_IMAGE_JOB } from '../core/index.ts';
import type { ScanImagePayload } from '../core/index.ts';
import { digestAlgorithm, isTag, ociErrors, parseDigest, parseManifest } from '../oci/index.ts';
import type { DigestAlgorithm, Manifest } from '../oci/index.ts';
import { authorize } from './authorization.ts';
import { tagKey } from './caches.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError, digestInvalid } from './distribution-errors.ts';
import { describeManifest, requiredBlobs } from './manifest-description.ts';
import { readWholeBody } from './request-body.ts';
import { matchesEtag, sendEmpty } from './responses.ts';
import { findMissingBlobs } from './store-blobs.ts';
import { readTagsLocked, setTags, storeManifest } from './store-manifests.ts';
import type { NewManifest, TagMove } from './store-manifests.ts';
import { ensureRepository, findRepository, inTransaction } from './store.ts';

/** Most tags one push may set. */
const MAX_PUSHED_TAGS = 100;

interface ManifestPush {
  readonly repository: string;
  readonly manifest: NewManifest;
  readonly required: readonly string[];
  readonly tags: readonly string[];
  readonly actor: string;
  readonly address: string;
  /** Conditions on what the first tag stands for now (RFC 9110 section 13.1). */
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

type PushOutcome =
  | { readonly kind: 'stored'; readonly isNew: boolean; readonly moves: readonly TagMove[] }
  | { readonly kind: 'missing'; readonly digests: readonly string[] }
  | { readonly kind: 'condition-failed' };

/** Takes a manifest: checks it, stores it with its tags, scan job and audit record in one transaction, then answers. */
export async function pushManifest(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const access = await authorize(context, exchange, { type: 'repository', name: repository, action: 'push' });
  const { digest, tags } = readReference(reference, exchange.query.getAll('tag'));
  const { request } = exchange;
  const body = await readWholeBody(exchange, context.transfers, MAX_MANIFEST_BYTES, manifestTooLarge);
  const algorithm: DigestAlgorithm = digest === undefined ? 'sha256' : digestAlgorithm(digest);
  const parsed = parseBody(body, request.headers['content-type']);
  const manifest = describeManifest(parsed, body, algorithm);
  if (digest !== undefined && manifest.digest !== digest) throw digestInvalid(digest);
  const push: ManifestPush = {
    repository,
    manifest,
    required: requiredBlobs(parsed),
    tags,
    actor: access.subject.name,
    address: exchange.address,
    ifMatch: request.headers['if-match'],
    ifNoneMatch: request.headers['if-none-match'],
  };
  const outcome = await store(context, push);
  if (outcome.kind === 'missing') throw blobsMissing(outcome.digests);
  if (outcome.kind === 'condition-failed') {
    throw new DistributionError(412, {
      code: 'DENIED',
      message: 'the tag does not stand for what was expected',
    });
  }
  announce(context, push, outcome);
  const askedTags = exchange.query.getAll('tag');
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/manifests/${manifest.digest}`,
    'docker-content-digest': manifest.digest,
    ...(manifest.subject === null ? {} : { 'oci-subject': manifest.subject }),
    ...(askedTags.length === 0 ? {} : { 'oci-tag': [...new Set(askedTags)] }),
  });
}

function readReference(
  reference: string,
  parameters: readonly string[],
): { digest: ReturnType<typeof parseDigest>; tags: readonly string[] } {
  const digest = parseDigest(reference);
  if (digest === undefined && reference.includes(':')) {
    throw digestInvalid(reference, 'the digest is not valid');
  }
  const tags = [...new Set(digest === undefined ? [reference, ...parameters] : parameters)];
  if (tags.length > MAX_PUSHED_TAGS) {
    throw new DistributionError(400, {
      code: 'UNSUPPORTED',
      message: `a push may set at most ${MAX_PUSHED_TAGS} tags`,
    });
  }
  for (const tag of tags) {
    if (isTag(tag)) continue;
    throw new DistributionError(400, {
      code: 'MANIFEST_INVALID',
      message: 'the tag is not valid',
      detail: { tag: tag.slice(0, 256) },
    });
  }
  return { digest, tags };
}

function parseBody(body: Buffer, contentType: string | undefined): Manifest {
  try {
    return parseManifest(body, contentType);
  } catch (error) {
    if (!ociErrors.is(error)) throw error;
    throw new DistributionError(error.status === 413 ? 413 : 400, {
      code: 'MANIFEST_INVALID',
      message: error.message,
      detail: { reason: error.code },
    });
  }
}

function manifestTooLarge(): DistributionError {
  return new DistributionError(413, {
    code: 'MANIFEST_INVALID',
    message: `a manifest may have at most ${MAX_MANIFEST_BYTES} bytes`,
  });
}

function blobsMissing(digests: readonly string[]): DistributionError {
  return new DistributionError(
    404,
    digests.slice(0, 100).map((digest) => ({ code: 'MANIFEST_BLOB_UNKNOWN' as const, detail: { digest } })),
  );
}

async function store(context: RegistryContext, push: ManifestPush): Promise<PushOutcome> {
  const keys: string[] = [];
  const mark = context.caches.mark();
  const outcome = await inTransaction(context.store.db, async (transaction): Promise<PushOutcome> => {
    keys.length = 0;
    const at = new Date(context.clock.now());
    const staleBefore = new Date(at.getTime() - context.graceMs / 2);
    const known = await findRepository(transaction, push.repository);
    const missing = await findMissingBlobs(transaction, known, push.required, staleBefore, at);
    if (missing.length > 0) return { kind: 'missing', digests: missing };
    const repositoryId = known ?? (await ensureRepository(transaction, push.repository, at));
    const before = await readTagsLocked(transaction, repositoryId, push.tags);
    if (!conditionHolds(push, before)) return { kind: 'condition-failed' };
    const isNew = await storeManifest(transaction, repositoryId, push.manifest, push.actor, at);
    await setTags(transaction, repositoryId, push.tags, push.manifest.digest, push.actor, at);
    const moves = push.tags
      .map((tag) => ({ tag, previous: before.get(tag) ?? null }))
      .filter((move) => move.previous !== push.manifest.digest);
    if ((isNew || moves.length > 0) && push.manifest.kind !== 'artifact') {
      await enqueueScan(context, transaction, push);
    }
    await recordPush(context, transaction, push, isNew, moves);
    keys.push(...moves.map((move) => tagKey(push.repository, move.tag)));
    if (keys.length > 0) await context.store.invalidations.record(transaction, keys);
    return { kind: 'stored', isNew, moves };
  });
  if (keys.length > 0) context.store.invalidations.apply(keys);
  if (outcome.kind === 'stored') {
    // What was pushed is pulled next, perhaps while the database is busy.
    const { digest, mediaType, body } = push.manifest;
    const { repository, tags } = push;
    context.caches.keepPushed(mark, { repository, digest, mediaType, body, tags, invalidated: keys.length });
  }
  return outcome;
}

function conditionHolds(push: ManifestPush, before: ReadonlyMap<string, string>): boolean {
  const tag = push.tags[0];
  if (tag === undefined) return true;
  const current = before.get(tag);
  const etag = current === undefined ? undefined : `"${current}"`;
  if (push.ifMatch !== undefined && (etag === undefined || !matchesEtag(push.ifMatch, etag))) return false;
  return !(push.ifNoneMatch !== undefined && etag !== undefined && matchesEtag(push.ifNoneMatch, etag));
}

type Transaction = Parameters<Parameters<typeof inTransaction>[1]>[0];

async function enqueueScan(
  context: RegistryContext,
  transaction: Transaction,
  push: ManifestPush,
): Promise<void> {
  const payload: ScanImagePayload = {
    repository: push.repository,
    digest: push.manifest.digest,
    trigger: 'push',
  };
  await context.store.jobs.enqueue(
    SCAN_IMAGE_JOB,
    { ...payload },
    { transaction, key: push.manifest.digest },
  );
}

async function recordPush(
  context: RegistryContext,
  transaction: Transaction,
  push: ManifestPush,
  isNew: boolean,
  moves: readonly TagMove[],
): Promise<void> {
  const { repository, manifest, tags, actor, address } = push;
  await context.store.audit.record(transaction, {
    action: 'manifest.push',
    actor,
    target: tags[0] === undefined ? `${repository}@${manifest.digest}` : `${repository}:${tags[0]}`,
    result: 'success',
    address,
    detail: {
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      size: manifest.totalSize,
      new: isNew,
      ...(tags.length > 1 ? { tags } : {}),
      ...(moves.length > 0
        ? { moved: Object.fromEntries(moves.map((move) => [move.tag, move.previous])) }
        : {}),
    },
  });
}

/** Events only wake and inform: what must not be lost is in the transaction. */
function announce(
  context: RegistryContext,
  push: ManifestPush,
  outcome: Extract<PushOutcome, { kind: 'stored' }>,
): void {
  const at = new Date(context.clock.now()).toISOString();
  const { repository, manifest, actor } = push;
  for (const tag of push.tags.length === 0 ? [null] : push.tags) {
    context.events.publish('image.pushed', {
      repository,
      tag,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      size: manifest.totalSize,
      actor,
      at,
    });
  }
  const changed = outcome.isNew || outcome.moves.length > 0;
  if (changed && manifest.kind !== 'artifact') context.store.jobs.wake(SCAN_IMAGE_JOB);
}
