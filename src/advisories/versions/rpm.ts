// RPM versions: [epoch:]version[-release], ordered as rpmvercmp does (rpm-version(7)), with `~` and `^`.
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, isDigit, skipDigits } from './digits.ts';

interface RpmVersion {
  readonly epoch: string;
  readonly version: string;
  /** Absent when there is no hyphen. */
  readonly release: string | undefined;
}

/** A missing epoch is 0. A missing release sorts before every release, the empty one too. */
export const rpmScheme: VersionScheme = {
  name: 'rpm',
  compare(a, b) {
    if (a === b) return 0;
    const left = split(a);
    const right = split(b);
    return (
      compareDigits(left.epoch, right.epoch) ||
      comparePart(left.version, right.version) ||
      compareRelease(left.release, right.release)
    );
  },
  valid: (version) => /^(?:\d+:)?[A-Za-z0-9][A-Za-z0-9._+~^-]*$/.test(version.trim()),
};

function split(text: string): RpmVersion {
  const evr = text.trim();
  const colon = skipDigits(evr, 0);
  const hasEpoch = evr.charCodeAt(colon) === 0x3a;
  const epoch = hasEpoch ? evr.slice(0, colon) : '';
  const rest = hasEpoch ? evr.slice(colon + 1) : evr;
  const hyphen = rest.lastIndexOf('-');
  if (hyphen < 0) return { epoch, version: rest, release: undefined };
  return { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}

function compareRelease(a: string | undefined, b: string | undefined): number {
  if (a !== undefined && b !== undefined) return comparePart(a, b);
  return Number(a !== undefined) - Number(b !== undefined);
}

/**
 * Compares runs of digits by value and runs of letters by byte; other characters only separate. At the first
 * difference `~` comes before the end of the text, then `^`, then letters, then digits.
 */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  for (;;) {
    i = skipSeparators(a, i);
    j = skipSeparators(b, j);
    const left = rank(a, i);
    const right = rank(b, j);
    if (left !== right) return left < right ? -1 : 1;
    if (left === RANK_END) return 0;
    if (left === RANK_TILDE || left === RANK_CARET) {
      i++;
      j++;
      continue;
    }
    const skip = left === RANK_DIGIT ? skipDigits : skipLetters;
    const leftEnd = skip(a, i);
    const rightEnd = skip(b, j);
    const compare = left === RANK_DIGIT ? compareDigits : compareText;
    const order = compare(a.slice(i, leftEnd), b.slice(j, rightEnd));
    if (order !== 0) return order;
    i = leftEnd;
    j = rightEnd;
  }
}

const RANK_TILDE = 0;
const RANK_END = 1;
const RANK_CARET = 2;
const RANK_LETTER = 3;
const RANK_DIGIT = 4;

/** What stands at the position, which is no separator. */
function rank(text: string, index: number): number {
  if (index >= text.length) return RANK_END;
  const code = text.charCodeAt(index);
  if (code === 0x7e) return RANK_TILDE;
  if (code === 0x5e) return RANK_CARET;
  return isDigit(code) ? RANK_DIGIT : RANK_LETTER;
}

function skipSeparators(text: string, start: number): number {
  let index = start;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x7e || code === 0x5e || isDigit(code) || isLetter(code)) break;
  }
  return index;
}

function skipLetters(text: string, start: number): number {
  let index = start;
  while (index < text.length && isLetter(text.charCodeAt(index))) index++;
  return index;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}
