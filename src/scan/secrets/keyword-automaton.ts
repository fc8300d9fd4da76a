// Finds all keywords in bytes in one pass: Aho-Corasick as a dense table over byte classes, ASCII case folded.

/** Called with the number of a keyword and the offset just behind it. */
export type KeywordHit = (keyword: number, end: number) => void;

const ROW_SHIFT = 6;
const ROW = 1 << ROW_SHIFT;
const MAX_STATES = 65_535;

/**
 * The automaton of a list of lower-case ASCII keywords. States in which a keyword ends have the highest numbers, so
 * that the inner loop needs one comparison. Throws RangeError when the keywords use too many characters or states.
 */
export class KeywordAutomaton {
  readonly longest: number;
  readonly #classes = new Uint8Array(256);
  readonly #table: Uint16Array;
  readonly #firstEnd: number;
  readonly #ends: readonly (readonly number[])[];

  constructor(keywords: readonly string[]) {
    this.longest = keywords.reduce((most, keyword) => Math.max(most, keyword.length), 0);
    fillClasses(this.#classes, keywords);
    const trie = buildTrie(keywords, this.#classes);
    const numbers = renumber(trie.ends);
    this.#firstEnd = numbers.firstEnd;
    this.#table = new Uint16Array(trie.next.length);
    trie.next.forEach((target, at) => {
      const from = numbers.byState[at >> ROW_SHIFT] ?? 0;
      this.#table[(from << ROW_SHIFT) | (at & (ROW - 1))] = numbers.byState[target] ?? 0;
    });
    const ends: (readonly number[])[] = [];
    trie.ends.forEach((found, state) => {
      const number = numbers.byState[state] ?? 0;
      if (number >= this.#firstEnd) ends[number - this.#firstEnd] = found;
    });
    this.#ends = ends;
  }

  /** Runs over bytes from `start` up to `end` in the given state (0 at first) and returns the state behind them. */
  run(bytes: Uint8Array, start: number, end: number, state: number, hit: KeywordHit): number {
    const table = this.#table;
    const classes = this.#classes;
    const firstEnd = this.#firstEnd;
    let current = state;
    for (let at = start; at < end; at++) {
      current = table[(current << ROW_SHIFT) | (classes[bytes[at] ?? 0] ?? 0)] ?? 0;
      if (current >= firstEnd) {
        for (const keyword of this.#ends[current - firstEnd] ?? []) hit(keyword, at + 1);
      }
    }
    return current;
  }
}

/** Characters that no keyword holds share class 0. */
function fillClasses(classes: Uint8Array, keywords: readonly string[]): void {
  let last = 0;
  for (const keyword of keywords) {
    for (let at = 0; at < keyword.length; at++) {
      const code = keyword.charCodeAt(at);
      if (code > 127) throw new RangeError(`keyword "${keyword}" is not ASCII`);
      if (classes[code] !== 0) continue;
      if (++last >= ROW) throw new RangeError('the keywords use too many different characters');
      classes[code] = last;
    }
  }
  for (let upper = 65; upper <= 90; upper++) classes[upper] = classes[upper + 32] ?? 0;
}

interface Trie {
  /** Rows of targets by class; complete, failure links followed. */
  readonly next: number[];
  /** Keywords that end in each state, its suffixes' included. */
  readonly ends: number[][];
}

function buildTrie(keywords: readonly string[], classes: Uint8Array): Trie {
  const next: number[] = Array.from({ length: ROW }, () => 0);
  const ends: number[][] = [[]];
  keywords.forEach((keyword, number) => {
    let state = 0;
    for (let at = 0; at < keyword.length; at++) {
      const cell = (state << ROW_SHIFT) | (classes[keyword.charCodeAt(at)] ?? 0);
      let target = next[cell] ?? 0;
      if (target === 0) {
        target = ends.length;
        if (target >= MAX_STATES) throw new RangeError('the keywords need too many states');
        ends.push([]);
        for (let i = 0; i < ROW; i++) next.push(0);
        next[cell] = target;
      }
      state = target;
    }
    ends[state]?.push(number);
  });
  completeTrie(next, ends);
  return { next, ends };
}

/** Breadth first: a missing target is the one of the longest proper suffix that is a state. */
function completeTrie(next: number[], ends: number[][]): void {
  const suffix: number[] = [0];
  const queue: number[] = next.slice(0, ROW).filter((target) => target !== 0);
  for (const state of queue) suffix[state] = 0;
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0;
    const shorter = suffix[state] ?? 0;
    ends[state]?.push(...(ends[shorter] ?? []));
    for (let symbol = 0; symbol < ROW; symbol++) {
      const cell = (state << ROW_SHIFT) | symbol;
      const fallback = next[(shorter << ROW_SHIFT) | symbol] ?? 0;
      const target = next[cell] ?? 0;
      if (target === 0) next[cell] = fallback;
      else {
        suffix[target] = fallback;
        queue.push(target);
      }
    }
  }
}

function renumber(ends: readonly (readonly number[])[]): { byState: number[]; firstEnd: number } {
  const byState: number[] = [];
  let number = 0;
  ends.forEach((found, state) => {
    if (found.length === 0) byState[state] = number++;
  });
  const firstEnd = number;
  ends.forEach((found, state) => {
    if (found.length > 0) byState[state] = number++;
  });
  return { byState, firstEnd };
}
