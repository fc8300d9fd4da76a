// RubyGems versions as Gem::Version orders them: segments of digits or letters, letters before numbers, zeros at the end of no account.
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, isDigit } from './digits.ts';

const PATTERN = /^\d+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

export const rubygemsScheme: VersionScheme = {
  name: 'rubygems',
  compare(a, b) {
    if (a === b) return 0;
    const left = segmentsOf(a);
    const right = segmentsOf(b);
    if (left !== undefined && right !== undefined) return compareSegments(left, right);
    if (left !== undefined) return 1;
    if (right !== undefined) return -1;
    return compareText(a.trim(), b.trim());
  },
  valid: (version) => segmentsOf(version) !== undefined,
};

/** Segments without the zeros that end the release and the pre-release part; a dash stands for `.pre.`. */
function segmentsOf(version: string): readonly string[] | undefined {
  const text = version.trim();
  if (!PATTERN.test(text)) return undefined;
  const segments = text.replaceAll('-', '.pre.').match(/[0-9]+|[A-Za-z]+/g) ?? [];
  const firstWord = segments.findIndex((segment) => !isNumber(segment));
  if (firstWord < 0) return withoutEndingZeros(segments);
  return [
    ...withoutEndingZeros(segments.slice(0, firstWord)),
    ...withoutEndingZeros(segments.slice(firstWord)),
  ];
}

function withoutEndingZeros(segments: readonly string[]): readonly string[] {
  let end = segments.length;
  while (end > 0 && compareDigitsOrWord(segments[end - 1] ?? '', '0') === 0) end--;
  return segments.slice(0, end);
}

/** A missing segment counts as zero. */
function compareSegments(left: readonly string[], right: readonly string[]): number {
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const order = compareDigitsOrWord(left[index] ?? '0', right[index] ?? '0');
    if (order !== 0) return order;
  }
  return 0;
}

function compareDigitsOrWord(a: string, b: string): number {
  const leftNumber = isNumber(a);
  if (leftNumber !== isNumber(b)) return leftNumber ? 1 : -1;
  return leftNumber ? compareDigits(a, b) : compareText(a, b);
}

function isNumber(segment: string): boolean {
  return isDigit(segment.charCodeAt(0));
}
