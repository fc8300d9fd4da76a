// Alpine package versions: number{.number}{letter}{_suffix{number}}{~hash}{-rN}, ordered as apk-tools 3 does.
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, isDigit, isLowerLetter, skipDigits } from './digits.ts';

/** What may stand at one place of a version. Larger values win when two versions differ in kind at that place. */
const KIND = {
  preRelease: 0,
  unreadable: 1,
  end: 2,
  revision: 3,
  hash: 4,
  suffixNumber: 5,
  postRelease: 6,
  letter: 7,
  number: 8,
  firstNumber: 9,
} as const;

type Kind = (typeof KIND)[keyof typeof KIND];

interface Token {
  readonly kind: Kind;
  readonly value: string;
}

const PRE_RELEASES = ['alpha', 'beta', 'pre', 'rc'];
const POST_RELEASES = ['cvs', 'svn', 'git', 'hg', 'p'];
const END: Token = { kind: KIND.end, value: '' };

export const apkScheme: VersionScheme = {
  name: 'apk',
  compare(a, b) {
    if (a === b) return 0;
    const left = new Reader(a.trim());
    const right = new Reader(b.trim());
    for (;;) {
      const one = left.next();
      const other = right.next();
      if (one.kind !== other.kind) return one.kind < other.kind ? -1 : 1;
      const order = compareValues(one, other);
      if (order !== 0) return order;
      if (one.kind === KIND.end || one.kind === KIND.unreadable) return 0;
    }
  },
  valid(version) {
    const reader = new Reader(version.trim());
    for (;;) {
      const { kind } = reader.next();
      if (kind === KIND.end) return true;
      if (kind === KIND.unreadable) return false;
    }
  },
};

function compareValues(a: Token, b: Token): number {
  switch (a.kind) {
    case KIND.number:
      // Like Gentoo: with a leading zero the digits are a fraction and sort as text.
      return a.value.startsWith('0') || b.value.startsWith('0')
        ? compareText(a.value, b.value)
        : compareDigits(a.value, b.value);
    case KIND.firstNumber:
    case KIND.suffixNumber:
    case KIND.revision:
      return compareDigits(a.value, b.value);
    case KIND.preRelease:
      return PRE_RELEASES.indexOf(a.value) - PRE_RELEASES.indexOf(b.value);
    case KIND.postRelease:
      return POST_RELEASES.indexOf(a.value) - POST_RELEASES.indexOf(b.value);
    default:
      return compareText(a.value, b.value);
  }
}

/** Reads one token after another. What cannot be read becomes one `unreadable` token that ends the version. */
class Reader {
  readonly #text: string;
  #at = 0;
  #last: Kind = KIND.end;
  #first = true;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    const token = this.#first ? this.#firstNumber() : this.#following();
    this.#first = false;
    this.#last = token.kind;
    return token;
  }

  #firstNumber(): Token {
    return isDigit(this.#text.charCodeAt(0)) ? this.#digits(KIND.firstNumber) : this.#unreadable();
  }

  #following(): Token {
    if (this.#at >= this.#text.length) return END;
    const code = this.#text.charCodeAt(this.#at);
    const last = this.#last;
    const inNumbers = last === KIND.firstNumber || last === KIND.number;
    if (isLowerLetter(code)) return inNumbers ? this.#letter() : this.#unreadable();
    if (isDigit(code)) {
      const afterSuffix = last === KIND.preRelease || last === KIND.postRelease;
      return afterSuffix ? this.#digits(KIND.suffixNumber) : this.#unreadable();
    }
    if (code === 0x2e) return inNumbers ? this.#number() : this.#unreadable();
    if (code === 0x5f) {
      return last !== KIND.hash && last !== KIND.revision ? this.#suffix() : this.#unreadable();
    }
    if (code === 0x7e) {
      return last !== KIND.hash && last !== KIND.revision ? this.#hash() : this.#unreadable();
    }
    return last !== KIND.revision ? this.#revision() : this.#unreadable();
  }

  #digits(kind: Kind): Token {
    const start = this.#at;
    this.#at = skipDigits(this.#text, start);
    return { kind, value: this.#text.slice(start, this.#at) };
  }

  #letter(): Token {
    this.#at++;
    return { kind: KIND.letter, value: this.#text.charAt(this.#at - 1) };
  }

  #number(): Token {
    if (!isDigit(this.#text.charCodeAt(this.#at + 1))) return this.#unreadable();
    this.#at++;
    return this.#digits(KIND.number);
  }

  #suffix(): Token {
    let end = this.#at + 1;
    while (end < this.#text.length && isLowerLetter(this.#text.charCodeAt(end))) end++;
    const value = this.#text.slice(this.#at + 1, end);
    const kind = PRE_RELEASES.includes(value)
      ? KIND.preRelease
      : POST_RELEASES.includes(value)
        ? KIND.postRelease
        : undefined;
    if (kind === undefined) return this.#unreadable();
    this.#at = end;
    return { kind, value };
  }

  #hash(): Token {
    const start = this.#at + 1;
    let end = start;
    while (end < this.#text.length && /[0-9a-f]/.test(this.#text.charAt(end))) end++;
    if (end === start) return this.#unreadable();
    this.#at = end;
    return { kind: KIND.hash, value: this.#text.slice(start, end) };
  }

  /** `-rN`; a bare `-r` counts as `-r0`, but `-ruff` is no revision. */
  #revision(): Token {
    if (!this.#text.startsWith('-r', this.#at)) return this.#unreadable();
    const start = this.#at + 2;
    const end = skipDigits(this.#text, start);
    const following = this.#text.charCodeAt(end);
    if (end === start && end < this.#text.length && following !== 0x2d) return this.#unreadable();
    this.#at = end;
    return { kind: KIND.revision, value: this.#text.slice(start, end) };
  }

  /** Junk in the place of a revision has no order of its own; other junk sorts as text. */
  #unreadable(): Token {
    const rest = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return { kind: KIND.unreadable, value: rest.startsWith('-') ? '' : rest };
  }
}
