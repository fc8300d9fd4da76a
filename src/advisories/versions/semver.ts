// Semantic Versioning 2.0.0 precedence, lenient as npm, Go and crates.io ranges need: `v1.2`, `1`, `go1.21rc2`.
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, isDigit, skipDigits } from './digits.ts';

interface SemanticVersion {
  readonly numbers: readonly [string, string, string];
  /** Dot-separated identifiers; none for a release. */
  readonly preRelease: readonly string[];
  readonly readable: boolean;
}

export const semverScheme: VersionScheme = {
  name: 'semver',
  compare(a, b) {
    if (a === b) return 0;
    const left = parse(a);
    const right = parse(b);
    if (!left.readable || !right.readable) return compareUnreadable(left, a, right, b);
    return (
      compareDigits(left.numbers[0], right.numbers[0]) ||
      compareDigits(left.numbers[1], right.numbers[1]) ||
      compareDigits(left.numbers[2], right.numbers[2]) ||
      comparePreRelease(left.preRelease, right.preRelease)
    );
  },
  valid: (version) => parse(version).readable,
};

/**
 * The semantic version of a Go toolchain: `go1.21rc2 X:boringcrypto` is `1.21.0-rc.2`.
 * Anything else comes back unchanged.
 */
export function goToolchainVersion(version: string): string {
  const match = /^(?:devel )?go(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(alpha|beta|rc)(\d+))?(?=$|[\s+-])/.exec(
    version,
  );
  if (match === null) return version;
  const [, major = '0', minor = '0', patch = '0', stage, serial = '0'] = match;
  const release = `${major}.${minor}.${patch}`;
  return stage === undefined ? release : `${release}-${stage}.${serial}`;
}

/** What cannot be read at all comes before everything that can, in text order. */
function compareUnreadable(left: SemanticVersion, a: string, right: SemanticVersion, b: string): number {
  if (left.readable) return 1;
  if (right.readable) return -1;
  return compareText(a.trim(), b.trim());
}

function parse(version: string): SemanticVersion {
  const trimmed = version.trim();
  const text = trimmed.startsWith('go') ? goToolchainVersion(trimmed) : trimmed;
  let at = text.startsWith('v') || text.startsWith('V') || text.startsWith('=') ? 1 : 0;
  const numbers: string[] = [];
  while (isDigit(text.charCodeAt(at))) {
    const end = skipDigits(text, at);
    // Components after the third are taken as build text: they have no precedence.
    if (numbers.length < 3) numbers.push(text.slice(at, end));
    at = end;
    if (text.charCodeAt(at) !== 0x2e || !isDigit(text.charCodeAt(at + 1))) break;
    at++;
  }
  const [major = '', minor = '', patch = ''] = numbers;
  const tail = readTail(text, at);
  return {
    numbers: [major, minor, patch],
    preRelease: tail.preRelease,
    readable: major !== '' && tail.readable,
  };
}

/** Pre-release after `-`, or stuck to the number as in `1.0.0rc1`; build metadata after `+` is dropped. */
function readTail(text: string, start: number): { preRelease: readonly string[]; readable: boolean } {
  const plus = text.indexOf('+', start);
  const end = plus < 0 ? text.length : plus;
  if (start >= end) return { preRelease: [], readable: true };
  const from = text.charCodeAt(start) === 0x2d ? start + 1 : start;
  const preRelease = text.slice(from, end);
  const readable = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/.test(preRelease);
  return { preRelease: readable ? preRelease.split('.') : [preRelease], readable };
}

/** Precedence of dot-separated pre-release identifiers (item 11); none is a release and comes last. */
export function comparePreRelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (let index = 0; ; index++) {
    const left = a[index];
    const right = b[index];
    if (left === undefined || right === undefined) {
      return left === right ? 0 : left === undefined ? -1 : 1;
    }
    const order = compareIdentifier(left, right);
    if (order !== 0) return order;
  }
}

function compareIdentifier(a: string, b: string): number {
  const leftNumeric = isNumeric(a);
  const rightNumeric = isNumeric(b);
  if (leftNumeric && rightNumeric) return compareDigits(a, b);
  if (leftNumeric !== rightNumeric) return leftNumeric ? -1 : 1;
  return compareText(a, b);
}

function isNumeric(identifier: string): boolean {
  return identifier !== '' && skipDigits(identifier, 0) === identifier.length;
}
