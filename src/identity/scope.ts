// Scopes of registry tokens (Distribution token specification, "scope"): `repository:team/app:pull,push`, `registry:catalog:*`.
import { MAX_GRANTS } from './types.ts';
import type { Access, AccessGrant, RepositoryAction } from './types.ts';

const MAX_SCOPE_CHARACTERS = 16 * 1024;
const MAX_ACTIONS = 16;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$/;
const NAME_WITH_PORT = /^[A-Za-z0-9.-]{1,255}:[0-9]{1,5}\/[A-Za-z0-9._/-]{1,254}$/;
const ACTION = /^(?:\*|[a-z][a-z_]{0,31})$/;

/** What can be granted at all, by resource type. Types that are not here are ignored, as the specification wants. */
const GRANTABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['repository', new Set(['pull', 'push', 'delete', '*'])],
  ['registry', new Set(['*'])],
  ['api', new Set(['read', 'write', '*'])],
]);

/**
 * Reads scopes joined by spaces. What cannot be read, and resource types we do not know, are left out: a smaller
 * grant is not an error. Repeated resources are joined; at most {@link MAX_GRANTS} come back. Never throws.
 */
export function parseScope(scope: string): AccessGrant[] {
  const merged = new Map<string, { type: string; name: string; actions: Set<string> }>();
  if (scope.length > MAX_SCOPE_CHARACTERS) return [];
  for (const part of scope.split(' ')) {
    const grant = parseResourceScope(part);
    if (!grant) continue;
    const key = `${grant.type}:${grant.name}`;
    const known = merged.get(key);
    if (known) for (const action of grant.actions) known.actions.add(action);
    else if (merged.size < MAX_GRANTS) merged.set(key, { ...grant, actions: new Set(grant.actions) });
  }
  return Array.from(merged.values(), ({ type, name, actions }) => ({ type, name, actions: [...actions] }));
}

function parseResourceScope(part: string): AccessGrant | undefined {
  // Type and actions hold no colon; the name may hold one, before a port: so cut at the first and at the last.
  const first = part.indexOf(':');
  const last = part.lastIndexOf(':');
  if (first <= 0 || last === first) return undefined;
  const type = part.slice(0, first);
  const name = part.slice(first + 1, last);
  if (!GRANTABLE.has(type) || !(NAME.test(name) || NAME_WITH_PORT.test(name))) return undefined;
  const actions = part
    .slice(last + 1)
    .split(',', MAX_ACTIONS)
    .filter((action) => ACTION.test(action));
  return actions.length > 0 ? { type, name, actions } : undefined;
}

/** The scopes as one string, the inverse of {@link parseScope}. */
export function formatScope(grants: readonly AccessGrant[]): string {
  return grants.map((grant) => `${grant.type}:${grant.name}:${grant.actions.join(',')}`).join(' ');
}

/** What of `requested` may be granted to the holder of `access`: the intersection, possibly empty. */
export function intersectGrants(access: Access, requested: readonly AccessGrant[]): AccessGrant[] {
  const granted: AccessGrant[] = [];
  for (const { type, name, actions } of requested) {
    const grantable = GRANTABLE.get(type);
    if (!grantable || granted.length >= MAX_GRANTS || name.length > 512) continue;
    const allowed = [...new Set(actions)].filter(
      (action) => grantable.has(action) && grants(access, type, name, action),
    );
    if (allowed.length > 0) granted.push({ type, name, actions: allowed });
  }
  return granted;
}

/** May the holder of `access` do `action` to the repository of exactly this name? */
export function permits(access: Access, repository: string, action: RepositoryAction): boolean {
  return grants(access, 'repository', repository, action);
}

/** May the holder of `access` list all repositories (`registry:catalog:*`)? */
export function permitsCatalog(access: Access): boolean {
  return grants(access, 'registry', 'catalog', '*');
}

/** May the holder of `access` use the REST API? Bearer tokens need the scope `api:v1:read`, `api:v1:write` or `api:v1:*`. */
export function permitsApi(access: Access, action: 'read' | 'write'): boolean {
  return grants(access, 'api', 'v1', action);
}

function grants(access: Access, type: string, name: string, action: string): boolean {
  if (access.grants === null) return true;
  return access.grants.some(
    (grant) =>
      grant.type === type &&
      grant.name === name &&
      (grant.actions.includes(action) || grant.actions.includes('*')),
  );
}
