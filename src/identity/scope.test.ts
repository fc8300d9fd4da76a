// Tests of scope reading, intersection and permission checks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScope, intersectGrants, parseScope, permits, permitsApi, permitsCatalog } from './scope.ts';
import { MAX_GRANTS } from './types.ts';
import type { Access, AccessGrant } from './types.ts';

function accessWith(grants: readonly AccessGrant[] | null): Access {
  return { subject: { name: 'admin', kind: 'administrator' }, grants, expiresAt: 1e15, generation: 1 };
}

describe('parseScope', () => {
  it('reads repository and registry scopes', () => {
    expect(parseScope('repository:a/b:pull,push registry:catalog:*')).toEqual([
      { type: 'repository', name: 'a/b', actions: ['pull', 'push'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ]);
  });

  it('lets a name hold a port', () => {
    expect(parseScope('repository:example.org:5000/a/b:pull')).toEqual([
      { type: 'repository', name: 'example.org:5000/a/b', actions: ['pull'] },
    ]);
  });

  it('joins repeated resources and drops repeated actions', () => {
    expect(parseScope('repository:a:pull repository:a:push,pull')).toEqual([
      { type: 'repository', name: 'a', actions: ['pull', 'push'] },
    ]);
  });

  it.each([
    '',
    ' ',
    'repository',
    'repository:a',
    'repository::pull',
    ':a:pull',
    'repository:a:',
    'repository:a:PULL',
    'unknown:a:pull',
    'repository(plugin):a:pull',
    'repository:a:1:2:pull',
    'repository:a b:pull',
    'repository:ä:pull',
    `repository:${'a'.repeat(256)}:pull`,
    'repository:a:pull '.repeat(2000),
  ])('grants nothing for %j', (scope) => {
    expect(parseScope(scope)).toEqual([]);
  });

  it('bounds the number of resources', () => {
    const scope = Array.from({ length: 100 }, (_, i) => `repository:r${i}:pull`).join(' ');
    expect(parseScope(scope)).toHaveLength(MAX_GRANTS);
  });

  it('never throws, and what it gives back reads the same again', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'repository',
        'registry',
        ':',
        ',',
        ' ',
        'pull',
        'push',
        '*',
        'a/b',
        'catalog',
        ':5000/',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const grants = parseScope(pieces.join(''));
        expect(parseScope(formatScope(grants))).toEqual(grants);
      }),
    );
  });
});

describe('permits', () => {
  const access = accessWith([
    { type: 'repository', name: 'a', actions: ['pull'] },
    { type: 'repository', name: 'all', actions: ['*'] },
  ]);

  it('looks at exactly the named repository and action', () => {
    expect(permits(access, 'a', 'pull')).toBe(true);
    expect(permits(access, 'a', 'push')).toBe(false);
    expect(permits(access, 'a/b', 'pull')).toBe(false);
    expect(permits(access, 'A', 'pull')).toBe(false);
    expect(permits(access, 'all', 'delete')).toBe(true);
    expect(permitsCatalog(access)).toBe(false);
    expect(permitsApi(access, 'read')).toBe(false);
  });

  it('allows everything where there is no list of grants, and nothing where the list is empty', () => {
    expect(permits(accessWith(null), 'any', 'delete')).toBe(true);
    expect(permitsCatalog(accessWith(null))).toBe(true);
    expect(permitsApi(accessWith(null), 'write')).toBe(true);
    expect(permits(accessWith([]), 'any', 'pull')).toBe(false);
  });
});

describe('intersectGrants', () => {
  it('never grants what was not asked or not allowed', () => {
    const action = fc.constantFrom('pull', 'push', 'delete', '*', 'metadata_read');
    const grant = fc.record({
      type: fc.constantFrom('repository', 'registry', 'other'),
      name: fc.constantFrom('a', 'b', 'catalog'),
      actions: fc.array<string>(action, { minLength: 1, maxLength: 4 }),
    });
    const grants = fc.array(grant, { maxLength: 5 });
    fc.assert(
      fc.property(grants, grants, (allowed, requested) => {
        for (const { type, name, actions } of intersectGrants(accessWith(allowed), requested)) {
          const same = (other: AccessGrant) => other.type === type && other.name === name;
          for (const one of actions) {
            expect(requested.some((r) => same(r) && r.actions.includes(one))).toBe(true);
            expect(allowed.some((a) => same(a) && (a.actions.includes(one) || a.actions.includes('*')))).toBe(
              true,
            );
          }
        }
      }),
    );
  });

  it('gives an administrator what was asked, and nothing of unknown types', () => {
    const asked = parseScope('repository:a/b:pull,push,delete registry:catalog:*');
    expect(intersectGrants(accessWith(null), asked)).toEqual(asked);
    expect(intersectGrants(accessWith(null), [{ type: 'galaxy', name: 'a', actions: ['destroy'] }])).toEqual(
      [],
    );
  });
});
