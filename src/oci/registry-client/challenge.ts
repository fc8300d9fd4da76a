// WWW-Authenticate challenges (RFC 9110 section 11.6.1), as registries send them.

export interface Challenge {
  /** In lower case: `bearer`, `basic`, … */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_HEADER = 16_384;
const SCHEME = /\s*,*\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s+|$)/y;
const PARAMETER =
  /\s*,*\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9!#$%&'*+.^_`|~:/-]+))\s*(?:,|$)/y;

/** The challenges of a header, in order; what cannot be read is left out. Never throws. */
export function parseChallenges(header: string): Challenge[] {
  const text = header.slice(0, MAX_HEADER);
  const challenges: Challenge[] = [];
  let offset = 0;
  while (offset < text.length) {
    SCHEME.lastIndex = offset;
    const scheme = SCHEME.exec(text)?.[1];
    if (scheme === undefined) break;
    offset = SCHEME.lastIndex;
    const parameters = new Map<string, string>();
    for (;;) {
      PARAMETER.lastIndex = offset;
      const match = PARAMETER.exec(text);
      if (match === null) break;
      offset = PARAMETER.lastIndex;
      const value = match[2] === undefined ? (match[3] ?? '') : match[2].replace(/\\(.)/g, '$1');
      parameters.set((match[1] ?? '').toLowerCase(), value);
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
