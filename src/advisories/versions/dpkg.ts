// Debian package versions: [epoch:]upstream[-revision], ordered as deb-version(7) says.
import type { VersionScheme } from '../types.ts';
import { compareDigits, isDigit, skipDigits } from './digits.ts';

interface DebianVersion {
  readonly epoch: string;
  readonly upstream: string;
  readonly revision: string;
}

export const dpkgScheme: VersionScheme = {
  name: 'dpkg',
  compare(a, b) {
    if (a === b) return 0;
    const left = split(a);
    const right = split(b);
    return (
      compareDigits(left.epoch, right.epoch) ||
      comparePart(left.upstream, right.upstream) ||
      comparePart(left.revision, right.revision)
    );
  },
  valid: (version) => /^(?:\d+:)?\d[A-Za-z0-9.+~:-]*$/.test(version.trim()),
};

/** An epoch that is no number is taken as part of the upstream version, so that anything compares. */
function split(version: string): DebianVersion {
  const text = version.trim();
  const colon = text.indexOf(':');
  const epoch = colon > 0 && skipDigits(text, 0) === colon ? text.slice(0, colon) : '';
  const rest = epoch === '' ? text : text.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  if (hyphen < 0) return { epoch, upstream: rest, revision: '' };
  return { epoch, upstream: rest.slice(0, hyphen), revision: rest.slice(hyphen + 1) };
}

/** Alternates between runs of non-digits (own order) and runs of digits (by value) until they differ. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while (nonDigitAt(a, i) || nonDigitAt(b, j)) {
      const left = weight(a, i);
      const right = weight(b, j);
      if (left !== right) return left < right ? -1 : 1;
      i++;
      j++;
    }
    const leftEnd = skipDigits(a, i);
    const rightEnd = skipDigits(b, j);
    const order = compareDigits(a.slice(i, leftEnd), b.slice(j, rightEnd));
    if (order !== 0) return order;
    i = leftEnd;
    j = rightEnd;
  }
  return 0;
}

function nonDigitAt(text: string, index: number): boolean {
  return index < text.length && !isDigit(text.charCodeAt(index));
}

/** `~` before everything, then the end (and digits), then letters, then every other character. */
function weight(text: string, index: number): number {
  if (index >= text.length) return 0;
  const code = text.charCodeAt(index);
  if (isDigit(code)) return 0;
  if (code === 126) return -1;
  const letter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return letter ? code : code + 65_536;
}
