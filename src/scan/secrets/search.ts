// Searches one text after the other for secrets: keywords in one pass, patterns only in bounded regions round them.
import { KiB, MiB } from '../../core/index.ts';
import { isAllowed } from './allow-list.ts';
import { shannonEntropy } from './entropy.ts';
import { KeywordAutomaton } from './keyword-automaton.ts';
import { withoutOverlaps } from './overlaps.ts';
import type { SecretMatch, SecretRule } from './types.ts';

const BUFFER_BYTES = MiB;
/** A region grows by neighbouring keywords up to this many times its first size. */
const GROWTH = 2;
/** Values kept of one text; more of them are a list of hashes or test data. */
const MAX_MATCHES = 200;

/** Every value that starts with its keyword has at least this many more characters: they are looked at first. */
const LOOK_AHEAD = 8;
/** 1: letters, digits and `_`; 2: other characters that values are made of. */
const WORD_BYTES = new Uint8Array(256);
for (const [text, kind] of [
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_', 1],
  ['+/=.-$%:', 2],
] as const) {
  for (let at = 0; at < text.length; at++) WORD_BYTES[text.charCodeAt(at)] = kind;
}

/** Which kinds of rules are tried on a text. */
export type RuleKinds = Readonly<Record<SecretRule['kind'], boolean>>;

interface Region {
  readonly rule: number;
  start: number;
  end: number;
}

/**
 * Holds one buffer, whatever the length of the text. The result does not depend on how the text was cut into pieces.
 * Time is linear in the text: every rule looks at each byte a bounded number of times.
 */
export class SecretSearch {
  readonly #rules: readonly SecretRule[];
  readonly #automaton: KeywordAutomaton;
  /** Rules of each keyword. */
  readonly #rulesOf: readonly (readonly number[])[];
  /** Of rules with one keyword, which starts every value: that keyword in its own spelling. */
  readonly #anchors: readonly (string | undefined)[];
  readonly #reach: number;
  readonly #buffer: Buffer;
  #kinds: RuleKinds = { token: true, assigned: true, generic: true };
  /** Offsets in the text: of the buffer's first byte, behind its last, and how far the automaton has run. */
  #base = 0;
  #filled = 0;
  #scanned = 0;
  #state = 0;
  /** Line breaks in what has left the buffer. */
  #lines = 0;
  #open: (Region | undefined)[] = [];
  #waiting: Region[] = [];
  #found = new Map<string, SecretMatch>();
  #overflow = false;

  constructor(rules: readonly SecretRule[], bufferBytes: number = BUFFER_BYTES) {
    this.#rules = rules;
    const keywords = [...new Set(rules.flatMap((rule) => rule.keywords))];
    this.#automaton = new KeywordAutomaton(keywords);
    this.#rulesOf = keywords.map((keyword) =>
      rules.flatMap((rule, index) => (rule.keywords.includes(keyword) ? [index] : [])),
    );
    this.#anchors = rules.map(({ prefix, keywords: [keyword = '', ...others] }) =>
      others.length === 0 && prefix.toLowerCase().startsWith(keyword)
        ? prefix.slice(0, keyword.length)
        : undefined,
    );
    const widest = rules.reduce((most, rule) => Math.max(most, rule.before + rule.after), 0);
    this.#reach = this.#automaton.longest + rules.reduce((most, rule) => Math.max(most, rule.before), 0);
    this.#buffer = Buffer.allocUnsafe(bufferBytes + 2 * GROWTH * (widest + this.#reach) + KiB);
  }

  /** Starts a new text. */
  begin(kinds: RuleKinds): void {
    this.#kinds = kinds;
    this.#base = this.#filled = this.#scanned = this.#state = this.#lines = 0;
    this.#open = [];
    this.#waiting = [];
    this.#found = new Map();
    this.#overflow = false;
  }

  /** Takes the next piece of the text. */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const used = this.#filled - this.#base;
      const part = Math.min(chunk.length - at, this.#buffer.length - used);
      this.#buffer.set(chunk.subarray(at, at + part), used);
      this.#filled += part;
      at += part;
      if (this.#filled - this.#base === this.#buffer.length) this.#advance(false);
    }
  }

  /** Ends the text. `overflow` says that there were more values than are kept. */
  finish(): { readonly matches: readonly SecretMatch[]; readonly overflow: boolean } {
    this.#advance(true);
    return { matches: withoutOverlaps([...this.#found.values()]), overflow: this.#overflow };
  }

  #advance(last: boolean): void {
    const base = this.#base;
    this.#state = this.#automaton.run(
      this.#buffer,
      this.#scanned - base,
      this.#filled - base,
      this.#state,
      (keyword, end) => this.#hit(keyword, base + end),
    );
    this.#scanned = this.#filled;
    for (const region of this.#open) {
      if (region !== undefined && (last || region.end + this.#reach <= this.#filled)) {
        this.#open[region.rule] = undefined;
        this.#waiting.push(region);
      }
    }
    this.#waiting = this.#waiting.filter((region) => {
      if (!last && region.end > this.#filled) return true;
      this.#match(region, last);
      return false;
    });
    if (!last) this.#discard();
  }

  #hit(keyword: number, end: number): void {
    for (const number of this.#rulesOf[keyword] ?? []) {
      const rule = this.#rules[number];
      if (rule === undefined || !this.#kinds[rule.kind]) continue;
      const anchor = this.#anchors[number];
      if (anchor !== undefined && !this.#startsHere(anchor, end)) continue;
      const start = Math.max(0, end - rule.before - this.#automaton.longest);
      const stop = end + rule.after;
      const open = this.#open[number];
      if (open !== undefined) {
        const limit = GROWTH * (rule.before + rule.after + this.#automaton.longest);
        if (start <= open.end && stop - open.start <= limit) {
          open.end = stop;
          continue;
        }
        this.#waiting.push(open);
      }
      this.#open[number] = { rule: number, start, end: stop };
    }
  }

  /** Is the keyword spelt as values of the rule start, not in the middle of a word, and followed by a value's bytes? */
  #startsHere(anchor: string, end: number): boolean {
    const at = end - anchor.length - this.#base;
    for (let i = 0; i < anchor.length; i++) if (this.#buffer[at + i] !== anchor.charCodeAt(i)) return false;
    const last = Math.min(end - this.#base + LOOK_AHEAD, this.#filled - this.#base);
    for (let i = end - this.#base; i < last; i++) if (WORD_BYTES[this.#buffer[i] ?? 0] === 0) return false;
    const before = at === 0 ? 0 : (this.#buffer[at - 1] ?? 0);
    // The n, r or t of an escaped line break is fine.
    return WORD_BYTES[before] !== 1 || before === 0x6e || before === 0x72 || before === 0x74;
  }

  #match({ rule: number, start, end }: Region, last: boolean): void {
    const rule = this.#rules[number];
    if (rule === undefined) return;
    const stop = Math.min(end, this.#filled);
    const text = this.#buffer.toString('latin1', start - this.#base, stop - this.#base);
    const cut = !(last && stop === this.#filled);
    rule.pattern.lastIndex = 0;
    for (let match = rule.pattern.exec(text); match !== null; match = rule.pattern.exec(text)) {
      const value = match.groups?.['secret'] ?? match[0];
      const [from] = match.indices?.groups?.['secret'] ?? [match.index];
      // What touches a cut edge may go on behind it.
      const touches =
        (start > 0 && match.index === 0) || (cut && match.index + match[0].length === text.length);
      if (!touches) this.#check(rule, start + from, value, text);
      if (match[0] === '') rule.pattern.lastIndex++;
    }
  }

  #check(rule: SecretRule, start: number, value: string, text: string): void {
    const key = `${rule.id}\0${value}`;
    const known = this.#found.get(key);
    if (known !== undefined && known.start <= start) return;
    if (rule.entropy > 0 && shannonEntropy(value) < rule.entropy) return;
    if (isAllowed(value) || (rule.validator !== undefined && !rule.validator(value, text))) return;
    if (known === undefined && this.#found.size >= MAX_MATCHES) {
      this.#overflow = true;
      return;
    }
    const line = 1 + this.#lines + countLines(this.#buffer, start - this.#base);
    this.#found.set(key, { rule, start, line, value, validated: rule.proves ? 'structure' : 'pattern' });
  }

  /** Keeps what a region that is not done, or a keyword yet to come, may need. */
  #discard(): void {
    let keep = this.#filled - this.#reach;
    for (const region of this.#waiting) keep = Math.min(keep, region.start);
    for (const region of this.#open) if (region !== undefined) keep = Math.min(keep, region.start);
    const drop = Math.max(0, keep - this.#base);
    this.#lines += countLines(this.#buffer, drop);
    this.#buffer.copyWithin(0, drop, this.#filled - this.#base);
    this.#base += drop;
  }
}

function countLines(bytes: Uint8Array, end: number): number {
  let lines = 0;
  for (let at = 0; at < end; at++) if (bytes[at] === 0x0a) lines++;
  return lines;
}
