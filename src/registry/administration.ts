// What the REST API and the command line do with repositories beyond the registry protocol.
import { parseDigest, isTag } from '../oci/index.ts';
import { readCursor, writeCursor } from './cursors.ts';
import { registryErrors } from './errors.ts';
import type { GarbageCollector } from './garbage.ts';
import { removeReference } from './removal.ts';
import type { RemovalContext } from './removal.ts';
import { readTags } from './store-images.ts';
import { summarizeRepositories } from './store-lists.ts';
import { findRepository } from './store.ts';
import type { RegistryAdministration } from './types.ts';

export function createAdministration(
  context: RemovalContext,
  collector: GarbageCollector,
): RegistryAdministration {
  const { db } = context.store;
  return {
    async listRepositories({ limit, cursor }) {
      const after = cursor === undefined ? null : (readCursor(cursor, 1)[0] ?? null);
      const rows = await summarizeRepositories(db, { after, limit: limit + 1 });
      return { repositories: rows.slice(0, limit), nextCursor: nextCursor(rows, limit) };
    },
    async listTags(repository, { limit, cursor }) {
      const repositoryId = await findRepository(db, repository);
      if (repositoryId === undefined) {
        throw registryErrors.create('REGISTRY_REPOSITORY_UNKNOWN', { repository });
      }
      const after = cursor === undefined ? null : (readCursor(cursor, 1)[0] ?? null);
      const rows = await readTags(db, repositoryId, { after, limit: limit + 1 });
      return { tags: rows.slice(0, limit), nextCursor: nextCursor(rows, limit) };
    },
    async remove(repository, reference, actor, address) {
      const isKnownForm = parseDigest(reference) !== undefined || isTag(reference);
      if (!isKnownForm || !(await removeReference(context, { repository, reference, actor, address }))) {
        throw registryErrors.create('REGISTRY_MANIFEST_UNKNOWN', { repository, reference });
      }
    },
    collectGarbage: () => collector.collect(),
  };
}

function nextCursor(rows: readonly { readonly name: string }[], limit: number): string | null {
  const last = rows[limit - 1];
  return rows.length > limit && last !== undefined ? writeCursor([last.name]) : null;
}
