// Packagist versions: the order of PHP's version_compare, with the spellings that Composer allows (getcomposer.org/doc/articles/versions.md).
import type { VersionScheme } from '../types.ts';
import { compareDigits, isDigit } from './digits.ts';

/** A version with numbers and, at most, one stability with its own numbers: `v1.2.3-beta.2`, `1.0RC1-dev`. */
const PATTERN =
  /^v?\d+(?:\.\d+)*(?:[-_]\d+)?(?:[-_.]?(?:stable|beta|b|rc|alpha|a|patch|pl|p)(?:[-.]?\d+(?:[-.]\d+)*)?)?(?:[-.]?dev)?(?:\+\S*)?$/;

/** Ranks of what may stand at one place, from the lowest: any other word, the stabilities, the end, a number, a patch. */
const WORD_RANKS: readonly (readonly [prefix: string, rank: number])[] = [
  ['dev', 1],
  ['a', 2],
  ['b', 3],
  ['rc', 4],
  ['p', 7],
];
const END_RANK = 5;
const NUMBER_RANK = 6;

/** The placeholder for "some number" of version_compare: it equals every number, and the end. */
const ANY_NUMBER = '#';

export const packagistScheme: VersionScheme = {
  name: 'packagist',
  compare(a, b) {
    if (a === b) return 0;
    const left = partsOf(a);
    const right = partsOf(b);
    const length = Math.max(left.length, right.length);
    for (let index = 0; index < length; index++) {
      const order = compareParts(left[index], right[index]);
      if (order !== 0) return order;
    }
    return 0;
  },
  // Branches (`dev-main`, `1.x-dev`) have no place in the order.
  valid: (version) => PATTERN.test(version.trim().toLowerCase()),
};

/** Numbers and words; separators and the border between digits and letters part them. Build text has no precedence. */
function partsOf(version: string): readonly string[] {
  const text = version.trim().toLowerCase().replace(/^v/, '');
  const plus = text.indexOf('+');
  const parts = (plus < 0 ? text : text.slice(0, plus)).match(/[0-9]+|[^0-9._-]+/g) ?? [];
  return parts.filter((part) => part !== 'stable');
}

function compareParts(left: string | undefined, right: string | undefined): number {
  const leftRank = rankOf(left);
  const rightRank = rankOf(right);
  if (left === ANY_NUMBER || right === ANY_NUMBER) {
    const other = left === ANY_NUMBER ? rightRank : leftRank;
    if (other === END_RANK || other === NUMBER_RANK) return 0;
  }
  if (leftRank !== rightRank) return leftRank < rightRank ? -1 : 1;
  if (left === undefined || right === undefined || leftRank !== NUMBER_RANK) return 0;
  return compareDigits(left, right);
}

function rankOf(part: string | undefined): number {
  if (part === undefined) return END_RANK;
  if (part === ANY_NUMBER || isDigit(part.charCodeAt(0))) return NUMBER_RANK;
  return WORD_RANKS.find(([prefix]) => part.startsWith(prefix))?.[1] ?? 0;
}
