// Tokens that carry a checksum or a decodable part of their own: GitHub, npm, PyPI, AWS.
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_DIGITS = 6;

/** The last six characters are the CRC-32 of what stands between prefix and them, in base 62 (GitHub, npm). */
export function hasBase62Checksum(value: string): boolean {
  const body = value.slice(value.lastIndexOf('_') + 1);
  const random = body.slice(0, -CHECKSUM_DIGITS);
  let rest = crc32(random);
  let digits = '';
  while (rest > 0) {
    digits = `${BASE62[rest % 62] ?? ''}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return body.slice(-CHECKSUM_DIGITS) === digits.padStart(CHECKSUM_DIGITS, '0');
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCOUNTS = 1_000_000_000_000n;

/**
 * An AWS key id is base 32, and since 2019 holds the account number of twelve digits in its first 48 bits. Older ids
 * (fifth character I or J) hold none.
 */
export function isAwsKeyId(value: string): boolean {
  const body = value.slice(4);
  let bits = 0n;
  for (const character of body) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) return false;
    bits = (bits << 5n) | BigInt(digit);
  }
  if (body.startsWith('I') || body.startsWith('J')) return true;
  const first48 = bits >> BigInt(body.length * 5 - 48);
  return (first48 & 0x7fffffffff80n) >> 7n < ACCOUNTS;
}

/** A macaroon of version 2 whose location is pypi.org or test.pypi.org. */
export function isPypiMacaroon(value: string): boolean {
  const bytes = Buffer.from(value.slice('pypi-'.length), 'base64url');
  const length = bytes[2] ?? 0;
  const location = bytes.subarray(3, 3 + length).toString('latin1');
  return bytes[0] === 2 && bytes[1] === 1 && /^(?:test\.)?pypi\.org$/.test(location) && bytes.length > 40;
}
