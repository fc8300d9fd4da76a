// Refuses rule patterns whose matching could take more than time linear in a bounded window.

/** Longest bounded repetition a pattern may ask for. */
const MAX_REPEAT = 12_000;

const QUANTIFIER = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/;

/**
 * What is wrong with a pattern, or undefined. Every repetition needs an upper bound, and a group that is repeated may
 * not hold a repetition of varying length: such nests are what makes backtracking explode.
 */
export function unsafePattern(source: string): string | undefined {
  const groups: { varies: boolean }[] = [{ varies: false }];
  for (let at = 0; at < source.length; ) {
    const character = source[at];
    if (character === '(') {
      groups.push({ varies: false });
      at++;
      const prefix = /^\?(?:<?[=!]|:|[a-z]*(?:-[a-z]+)?:|<\w+>)/.exec(source.slice(at));
      at += prefix?.[0].length ?? 0;
      continue;
    }
    const closed = character === ')' ? groups.pop() : undefined;
    at += lengthOfAtom(source, at);
    const quantifier = QUANTIFIER.exec(source.slice(at));
    const group = groups.at(-1);
    if (group === undefined) return 'unbalanced parentheses';
    if (closed?.varies === true) group.varies = true;
    if (quantifier === null) continue;
    const problem = quantifierProblem(quantifier, closed?.varies === true);
    if (problem !== undefined) return problem;
    if (varies(quantifier)) group.varies = true;
    at += quantifier[0].length;
  }
  return groups.length === 1 ? undefined : 'unbalanced parentheses';
}

function quantifierProblem(quantifier: RegExpExecArray, nested: boolean): string | undefined {
  const [text, low = '', range, high] = quantifier;
  if (text.startsWith('?')) return undefined;
  if (text.startsWith('*') || text.startsWith('+') || (range !== undefined && high === '')) {
    return `repetition ${text} has no upper bound`;
  }
  const most = Number(high ?? low);
  if (most > MAX_REPEAT) return `repetition ${text} is longer than ${MAX_REPEAT}`;
  if (nested && most > 1 && varies(quantifier)) return `repetition ${text} repeats a repetition`;
  return undefined;
}

function varies([text, low, range, high]: RegExpExecArray): boolean {
  if (text.startsWith('{')) return range !== undefined && high !== low;
  return !text.startsWith('?');
}

/** Length of what a quantifier would apply to: an escape, a class, or one character. */
function lengthOfAtom(source: string, at: number): number {
  if (source[at] === '\\') return 2;
  if (source[at] !== '[') return 1;
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === '\\') end++;
    else if (source[end] === ']') return end - at + 1;
  }
  return source.length - at;
}
