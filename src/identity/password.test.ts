// Tests of password making and checking.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemRandomness } from '../core/index.ts';
import { makePassword, passwordHmac, passwordMatches, pepperId } from './password.ts';

describe('makePassword', () => {
  it('has 160 bits in an alphabet without look-alikes', () => {
    const seen = new Set(Array.from({ length: 200 }, () => makePassword(systemRandomness)));
    expect(seen.size).toBe(200);
    for (const password of seen)
      expect(password).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){7}$/);
  });

  it('uses every bit it is given: each of the 32 characters appears', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
    const password = makePassword({ bytes: () => bytes, uuid: () => '' });
    expect(new Set(password.replaceAll('-', '')).size).toBe(32);
  });
});

describe('passwordMatches', () => {
  const pepper = randomBytes(32);
  const stored = passwordHmac(pepper, 'admin', 'secret');

  it('takes the right password only, for the right name and pepper only', () => {
    expect(passwordMatches(pepper, 'admin', 'secret', stored)).toBe(true);
    expect(passwordMatches(pepper, 'admin', 'secret ', stored)).toBe(false);
    expect(passwordMatches(pepper, 'root', 'secret', stored)).toBe(false);
    expect(passwordMatches(randomBytes(32), 'admin', 'secret', stored)).toBe(false);
    expect(passwordMatches(pepper, 'admin', 'secret', undefined)).toBe(false);
    expect(passwordMatches(pepper, 'admin', 'secret', Buffer.alloc(0))).toBe(false);
  });

  it('does not take a very long password, not even one that starts right', () => {
    const long = 'x'.repeat(1024);
    const storedLong = passwordHmac(pepper, 'admin', long);
    expect(passwordMatches(pepper, 'admin', long, storedLong)).toBe(true);
    expect(passwordMatches(pepper, 'admin', `${long}x`, storedLong)).toBe(false);
  });

  it('names a pepper the same each time and differently from another', () => {
    expect(pepperId(pepper)).toBe(pepperId(Buffer.from(pepper)));
    expect(pepperId(pepper)).not.toBe(pepperId(randomBytes(32)));
  });
});
