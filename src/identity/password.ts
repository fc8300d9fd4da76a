// Machine-made passwords and how they are stored: HMAC-SHA-256 under a pepper kept outside the database.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Randomness } from '../core/index.ts';

/** Thirty-two letters and digits that are not mistaken for each other: five bits each. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const GROUPS = 8;
const GROUP_LENGTH = 4;

/** Longest password looked at, in characters. */
const MAX_PASSWORD_CHARACTERS = 1024;

/** A new password of 160 random bits: eight groups of four characters. */
export function makePassword(randomness: Randomness): string {
  const characters = Array.from(randomness.bytes(GROUPS * GROUP_LENGTH), (byte) => ALPHABET[byte & 31] ?? '');
  return Array.from({ length: GROUPS }, (_, group) =>
    characters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join(''),
  ).join('-');
}

/**
 * What is stored of a password. A slow hash would protect guessable passwords; ours cannot be guessed, and a slow
 * hash would make logins a way to exhaust the server.
 */
export function passwordHmac(pepper: Buffer, username: string, password: string): Buffer {
  return createHmac('sha256', pepper).update(username).update('\0').update(password).digest();
}

/** Compares in constant time; an unknown user (`stored` undefined) costs the same as a wrong password. */
export function passwordMatches(
  pepper: Buffer,
  username: string,
  password: string,
  stored: Buffer | undefined,
): boolean {
  const given = passwordHmac(pepper, username, password.slice(0, MAX_PASSWORD_CHARACTERS));
  const expected = stored?.length === given.length ? stored : Buffer.alloc(given.length);
  const equal = timingSafeEqual(given, expected);
  return equal && expected === stored && password.length <= MAX_PASSWORD_CHARACTERS;
}

/** Names a pepper without giving it away, so that a credential made under another one can be told. */
export function pepperId(pepper: Buffer): string {
  return createHash('sha256').update('breakwater pepper\0').update(pepper).digest('hex').slice(0, 16);
}
