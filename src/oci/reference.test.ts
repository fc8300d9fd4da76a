// References: Docker's defaults, names, tags, and what is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BreakwaterError } from '../core/index.ts';
import { formatReference, isRepositoryName, isTag, parseReference } from './reference.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('parseReference', () => {
  it.each([
    ['debian', 'docker.io', 'library/debian', null, null],
    ['debian:12', 'docker.io', 'library/debian', '12', null],
    ['team/app', 'docker.io', 'team/app', null, null],
    ['index.docker.io/debian', 'docker.io', 'library/debian', null, null],
    ['docker.io/team/app:x', 'docker.io', 'team/app', 'x', null],
    ['localhost/app', 'localhost', 'app', null, null],
    ['localhost:5000/a/b/c:1.2', 'localhost:5000', 'a/b/c', '1.2', null],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app', null, null],
    ['[::1]:5000/app:tag', '[::1]:5000', 'app', 'tag', null],
    ['registry.example/app', 'registry.example', 'app', null, null],
    ['Registry/app', 'Registry', 'app', null, null],
    [`host:5000/app:1@${DIGEST}`, 'host:5000', 'app', '1', DIGEST],
    [`host:5000/app@${DIGEST}`, 'host:5000', 'app', null, DIGEST],
    ['host.example/a--b__c.d_e', 'host.example', 'a--b__c.d_e', null, null],
  ])('reads %s', (text, registry, repository, tag, digest) => {
    const reference = parseReference(text);
    expect(reference).toEqual({ registry, repository, tag, digest });
    expect(parseReference(formatReference(reference))).toEqual(reference);
  });

  it.each([
    '',
    ':tag',
    '@',
    '/app',
    'app:',
    'app:-tag',
    'app@sha256:1234',
    'App',
    'host.example/App',
    'host.example/',
    'host.example//app',
    'host.example/app/',
    'host.example/../etc',
    'a..b/c',
    'host:port/app',
    'user@host/app',
    `host.example/${'a'.repeat(250)}`,
    'x'.repeat(2000),
    'https://host/app',
  ])('refuses %s', (text) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: 'OCI_REFERENCE_INVALID', exit: 2 }),
    );
  });

  it('answers any text with a reference or a coded error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab0.:/@-_A[]\n') }), (text) => {
        try {
          const reference = parseReference(text);
          expect(parseReference(formatReference(reference))).toEqual(reference);
        } catch (error) {
          expect(error).toBeInstanceOf(BreakwaterError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('names and tags of the distribution specification', () => {
  it('are recognised', () => {
    for (const name of ['a', 'a/b', 'a-b/c_d', 'a__b', 'a---b', '0/1', 'x'.repeat(255)]) {
      expect(isRepositoryName(name)).toBe(true);
    }
    for (const name of [
      '',
      'A',
      'a_',
      '_a',
      'a___b',
      'a..b',
      'a//b',
      '/a',
      'a/',
      'a b',
      'ä',
      'a\n',
      'x'.repeat(256),
    ]) {
      expect(isRepositoryName(name)).toBe(false);
    }
    for (const tag of ['latest', '_x', 'V1.2-rc_3', 'x'.repeat(128)]) expect(isTag(tag)).toBe(true);
    for (const tag of ['', '.x', '-x', 'a/b', 'a:b', 'x'.repeat(129), 'a\n']) expect(isTag(tag)).toBe(false);
  });
});
