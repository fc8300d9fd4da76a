// The router against names made of protocol words, hostile paths and random ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRepositoryName } from '../oci/index.ts';
import { MAX_TARGET_CHARACTERS, matchTarget, parseQuery } from './router.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
const repositoryName = fc
  .array(fc.oneof(component, fc.constantFrom('tags', 'manifests', 'blobs', 'uploads', 'list', 'referrers')), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join('/'));
const digest = `sha256:${'a'.repeat(64)}`;

describe('matchTarget', () => {
  it('knows the fixed endpoints', () => {
    expect(matchTarget('/v2/').route).toEqual({ kind: 'base' });
    expect(matchTarget('/v2').route).toEqual({ kind: 'base' });
    expect(matchTarget('/v2/_catalog?n=5')).toEqual({ route: { kind: 'catalog' }, query: 'n=5' });
    expect(matchTarget('/oauth2/token').route).toEqual({ kind: 'token' });
  });

  it('reads any repository name, also one made of the words of the protocol', () => {
    fc.assert(
      fc.property(repositoryName, (repository) => {
        expect(matchTarget(`/v2/${repository}/manifests/latest`).route).toEqual({
          kind: 'manifest',
          repository,
          reference: 'latest',
        });
        expect(matchTarget(`/v2/${repository}/blobs/${digest}`).route).toEqual({
          kind: 'blob',
          repository,
          digest,
        });
        expect(matchTarget(`/v2/${repository}/blobs/uploads/`).route).toEqual({
          kind: 'uploads',
          repository,
        });
        expect(matchTarget(`/v2/${repository}/blobs/uploads`).route).toEqual({ kind: 'uploads', repository });
        expect(matchTarget(`/v2/${repository}/blobs/uploads/7f3e`).route).toEqual({
          kind: 'upload',
          repository,
          id: '7f3e',
        });
        expect(matchTarget(`/v2/${repository}/tags/list?n=1`)).toEqual({
          route: { kind: 'tags', repository },
          query: 'n=1',
        });
        expect(matchTarget(`/v2/${repository}/referrers/${digest}`).route).toEqual({
          kind: 'referrers',
          repository,
          digest,
        });
      }),
    );
  });

  it('undoes percent-encoding of a digest', () => {
    expect(matchTarget(`/v2/a/blobs/sha256%3A${'a'.repeat(64)}`).route).toEqual({
      kind: 'blob',
      repository: 'a',
      digest,
    });
  });

  it.each([
    '/v2/a%2fb/manifests/latest',
    '/v2/a/manifests/..%2f..%2fb',
    '/v2/a/manifests/%2e%2e',
    '/v2/a/../b/manifests/latest',
    '/v2/./manifests/latest',
    '/v2/a/manifests/..',
    '/v2/a/manifests/%00',
    '/v2/a/manifests/%',
    '/v2/a/manifests/%25',
    '/v2/a//b/manifests/latest',
    '/v2/A/manifests/latest',
    '/v2/ä/manifests/latest',
    `/v2/${'a/'.repeat(200)}a/manifests/latest`,
    '/v2/a/manifests/',
  ])('refuses %s', (target) => {
    expect(matchTarget(target).route.kind).toBe('invalid-name');
  });

  it.each([
    '/',
    '/v3/a/manifests/latest',
    '/v2/manifests/latest',
    '/v2/blobs/uploads/',
    '/v2/a/tags/other',
    '/v2/a/uploads/x',
    '/v2//',
    '/V2/a/manifests/latest',
    `/v2/a/manifests/${'a'.repeat(MAX_TARGET_CHARACTERS)}`,
  ])('does not know %s', (target) => {
    expect(matchTarget(target).route.kind).toBe('unknown');
  });

  it('answers something for anything, and never a name that is not one', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc
            .array(
              fc.constantFrom(
                '/',
                'v2',
                '..',
                '%2f',
                'a',
                'blobs',
                'uploads',
                'manifests',
                'tags',
                'list',
                '?',
                '%',
              ),
            )
            .map((parts) => `/${parts.join('')}`),
        ),
        (target) => {
          const { route } = matchTarget(target);
          const values = Object.values(route);
          const isSafe = values.every((value) => !value.includes('..') && !/[%\\]/.test(value));
          return isSafe && (!('repository' in route) || isRepositoryName(route.repository));
        },
      ),
    );
  });

  it('takes time in proportion to its input', () => {
    const hostile = `/v2/${'a-'.repeat(MAX_TARGET_CHARACTERS / 2 - 40)}/manifests/latest`;
    const started = performance.now();
    for (let count = 0; count < 200; count++) matchTarget(hostile);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('parseQuery', () => {
  it('reads parameters, repeated ones too', () => {
    const query = parseQuery('tag=a&tag=b&digest=sha256%3Aff');
    expect(query.getAll('tag')).toEqual(['a', 'b']);
    expect(query.get('digest')).toBe('sha256:ff');
    expect(parseQuery('').get('n')).toBeNull();
  });
});
