// Small pieces of answers: entity tags, links, cursors, error bodies, claimed names.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimedUser } from './authorization.ts';
import { errorBody } from './distribution-errors.ts';
import { readCursor, writeCursor } from './cursors.ts';
import { matchesEtag, nextLink } from './responses.ts';

describe('matchesEtag', () => {
  it.each(['"a"', 'W/"a"', '"b", "a"', '*', ' "a" ', '"b",W/"a"'])('matches %s', (header) => {
    expect(matchesEtag(header, '"a"')).toBe(true);
  });

  it.each([undefined, '', 'a', '"b"', '"ab"', '"a'])('does not match %s', (header) => {
    expect(matchesEtag(header, '"a"')).toBe(false);
  });
});

describe('nextLink', () => {
  it('encodes what clients put into names', () => {
    expect(nextLink('/v2/a/tags/list', { n: '1', last: 'a&b' })).toBe(
      '</v2/a/tags/list?n=1&last=a%26b>; rel="next"',
    );
  });
});

describe('cursors', () => {
  it('come back as they were given out', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 2 }), (values) => {
        expect(readCursor(writeCursor(values), 2)).toEqual(values);
      }),
    );
  });

  it('are refused with a code when foreign', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => readCursor(text, 2)).toThrow(
          expect.objectContaining({ code: 'REGISTRY_CURSOR_INVALID' }),
        );
      }),
    );
    expect(() => readCursor(writeCursor(['one']), 2)).toThrow();
  });
});

describe('claimedUser', () => {
  it('is what a Basic header claims, made harmless', () => {
    const header = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(claimedUser(header('alice:secret'))).toBe('alice');
    expect(claimedUser(header('a\nb:secret'))).toBe('a?b');
    expect(claimedUser(header(':secret'))).toBe('anonymous');
    expect(claimedUser('Bearer abc')).toBe('anonymous');
    expect(claimedUser(header(`${'x'.repeat(500)}:y`))).toHaveLength(128);
  });
});

describe('errorBody', () => {
  it('has the form of the specification', () => {
    expect(JSON.parse(errorBody([{ code: 'BLOB_UNKNOWN', detail: { digest: 'd' } }]))).toEqual({
      errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry', detail: { digest: 'd' } }],
    });
  });
});
