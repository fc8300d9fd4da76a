// Deletes a tag, or a manifest with its tags, wherever the wish comes from.
import { parseDigest } from '../oci/index.ts';
import type { Clock, EventBus } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { manifestKey, tagKey } from './caches.ts';
import { inTransaction } from './store.ts';
import { deleteManifest, deleteTag } from './store-manifests.ts';

export interface RemovalContext {
  readonly store: Store;
  readonly events: EventBus;
  readonly clock: Clock;
}

export interface Removal {
  readonly repository: string;
  /** A digest takes the manifest and every tag of it; a tag goes alone. */
  readonly reference: string;
  readonly actor: string;
  readonly address: string | null;
}

/** Resolves to false when there is nothing of that name. */
export async function removeReference(context: RemovalContext, removal: Removal): Promise<boolean> {
  const digest = parseDigest(removal.reference);
  return digest === undefined ? removeTag(context, removal) : removeManifest(context, removal, digest);
}

async function removeTag(context: RemovalContext, removal: Removal): Promise<boolean> {
  const { store } = context;
  const { repository, reference: tag, actor, address } = removal;
  const keys = [tagKey(repository, tag)];
  const digest = await inTransaction(store.db, async (transaction) => {
    const found = await deleteTag(transaction, repository, tag);
    if (found === undefined) return undefined;
    await store.audit.record(transaction, {
      action: 'tag.delete',
      actor,
      target: `${repository}:${tag}`,
      result: 'success',
      address,
      detail: { digest: found },
    });
    await store.invalidations.record(transaction, keys);
    return found;
  });
  // Also when nothing was found: another process may have deleted it, and this one must not go on serving it.
  store.invalidations.apply(keys);
  if (digest === undefined) return false;
  publish(context, removal, tag, digest);
  return true;
}

async function removeManifest(context: RemovalContext, removal: Removal, digest: string): Promise<boolean> {
  const { store } = context;
  const { repository, actor, address } = removal;
  const result = await inTransaction(store.db, async (transaction) => {
    const tags = await deleteManifest(transaction, repository, digest);
    if (tags === undefined) return undefined;
    const keys = [manifestKey(repository, digest), ...tags.map((tag) => tagKey(repository, tag))];
    await store.audit.record(transaction, {
      action: 'manifest.delete',
      actor,
      target: `${repository}@${digest}`,
      result: 'success',
      address,
      detail: { tags: tags.slice(0, 100), tagCount: tags.length },
    });
    await store.invalidations.record(transaction, keys);
    return { tags, keys };
  });
  store.invalidations.apply(result?.keys ?? [manifestKey(repository, digest)]);
  if (result === undefined) return false;
  for (const tag of result.tags) publish(context, removal, tag, digest);
  publish(context, removal, null, digest);
  return true;
}

function publish(context: RemovalContext, removal: Removal, tag: string | null, digest: string): void {
  context.events.publish('image.deleted', {
    repository: removal.repository,
    tag,
    digest,
    actor: removal.actor,
    at: new Date(context.clock.now()).toISOString(),
  });
}
