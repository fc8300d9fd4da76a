// Maven versions: tokens cut at dots, hyphens and changes between digits and letters (Maven POM reference, "Version Order").
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, isDigit, skipDigits } from './digits.ts';

/** Numbers after a dot stand above numbers after a hyphen, and these above every qualifier. */
const QUALIFIER = 0;
const HYPHEN_NUMBER = 1;
const DOT_NUMBER = 2;

interface Token {
  readonly rank: typeof QUALIFIER | typeof HYPHEN_NUMBER | typeof DOT_NUMBER;
  readonly text: string;
}

/** What a missing token counts as: a qualifier that says "release". */
const PADDING: Token = { rank: QUALIFIER, text: '' };

/** Qualifiers with a place of their own; all others follow in the order of their letters. */
const KNOWN: ReadonlyMap<string, number> = new Map([
  ['alpha', 0],
  ['beta', 1],
  ['milestone', 2],
  ['rc', 3],
  ['cr', 3],
  ['snapshot', 4],
  ['', 5],
  ['final', 5],
  ['ga', 5],
  ['release', 5],
  ['sp', 6],
]);
const UNKNOWN_QUALIFIER = 7;

/** Only directly before a digit: `1a1`, not `1-a`. */
const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
]);

/**
 * The order of Maven's own ComparableVersion. A qualifier after a dot counts as one after a hyphen, as Maven does since
 * 3.9; before, its order had cycles (`1 < 1.sp < 1-alpha < 1`).
 */
export const mavenScheme: VersionScheme = {
  name: 'maven',
  compare(a, b) {
    if (a === b) return 0;
    const left = parse(a);
    const right = parse(b);
    const length = Math.max(left.length, right.length);
    for (let index = 0; index < length; index++) {
      const order = compareTokens(left[index] ?? PADDING, right[index] ?? PADDING);
      if (order !== 0) return order;
    }
    return 0;
  },
  valid: (version) => /^[0-9A-Za-z][\w.+~-]*$/.test(version.trim()),
};

function parse(version: string): readonly Token[] {
  const text = version.trim().toLowerCase();
  const tokens: Token[] = [];
  let dot = true;
  for (let at = 0; ; ) {
    const start = at;
    const digit = isDigit(text.charCodeAt(at));
    at = digit ? skipDigits(text, at) : skipQualifier(text, at);
    const token = text.slice(start, at);
    const next = text[at];
    if (digit || token === '') tokens.push({ rank: dot ? DOT_NUMBER : HYPHEN_NUMBER, text: token });
    else tokens.push({ rank: QUALIFIER, text: qualifier(token, isDigit(text.charCodeAt(at))) });
    if (next === undefined) return trimmed(tokens);
    dot = next === '.';
    if (dot || next === '-') at++;
  }
}

function skipQualifier(text: string, start: number): number {
  let at = start;
  while (at < text.length && !isDigit(text.charCodeAt(at)) && text[at] !== '.' && text[at] !== '-') at++;
  return at;
}

function qualifier(text: string, beforeDigit: boolean): string {
  return (beforeDigit ? SHORT_FORMS.get(text) : undefined) ?? text;
}

/** Drops the tokens that mean nothing (`0`, `final`, …) at the end and before every hyphen. */
function trimmed(tokens: readonly Token[]): readonly Token[] {
  const kept: Token[] = [];
  let droppable = true;
  for (let index = tokens.length - 1; index >= 0; index--) {
    const token = tokens[index];
    if (token === undefined || (droppable && isNull(token))) continue;
    kept.push(token);
    droppable = token.rank !== DOT_NUMBER;
  }
  return kept.reverse();
}

function isNull({ rank, text }: Token): boolean {
  return rank === QUALIFIER ? KNOWN.get(text) === KNOWN.get('') : compareDigits(text, '') === 0;
}

function compareTokens(a: Token, b: Token): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  if (a.rank !== QUALIFIER) return compareDigits(a.text, b.text);
  const left = KNOWN.get(a.text) ?? UNKNOWN_QUALIFIER;
  const right = KNOWN.get(b.text) ?? UNKNOWN_QUALIFIER;
  if (left !== right) return left < right ? -1 : 1;
  return left === UNKNOWN_QUALIFIER ? compareText(a.text, b.text) : 0;
}
