// Tests of the cache of verified tokens.
import { describe, expect, it } from 'vitest';
import type { VerifiedToken } from './tokens.ts';
import { VerificationCache } from './verification-cache.ts';

function token(expiresAt: number): VerifiedToken {
  return {
    access: { subject: { name: 'admin', kind: 'administrator' }, grants: null, expiresAt, generation: 1 },
    use: 'access',
    service: 's',
  };
}

describe('VerificationCache', () => {
  it('forgets a token when it expires', () => {
    const cache = new VerificationCache(10);
    const key = cache.key('t');
    cache.set(key, token(1_000));
    expect(cache.get(key, 999)).toBeDefined();
    expect(cache.get(key, 1_000)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('keeps the tokens used last, and never more than its limit', () => {
    const cache = new VerificationCache(3);
    for (const name of ['a', 'b', 'c']) cache.set(cache.key(name), token(1e15));
    cache.get(cache.key('a'), 0);
    cache.set(cache.key('d'), token(1e15));
    expect(cache.size).toBe(3);
    expect(cache.get(cache.key('b'), 0)).toBeUndefined();
    expect(cache.get(cache.key('a'), 0)).toBeDefined();
  });

  it('does not hold the token itself', () => {
    const cache = new VerificationCache(3);
    expect(cache.key('secret')).not.toContain('secret');
    expect(cache.key('secret')).toHaveLength(44);
  });
});
