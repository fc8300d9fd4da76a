// Path and image patterns of exemptions: `*` within a segment, `**` across segments, `?` for one character.

/**
 * Does the whole text match? Works on the set of positions that the pattern can be at, so that time is bounded by the
 * product of both lengths whatever the pattern is.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === text;
  const parts = partsOf(pattern);
  let positions = reachable(parts, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const position of positions) {
      const part = parts[position];
      if (part === undefined) continue;
      if (part === '**' || (part === '*' && character !== '/')) next.add(position);
      else if (part === character || (part === '?' && character !== '/')) next.add(position + 1);
    }
    if (next.size === 0) return false;
    positions = reachable(parts, next);
  }
  return positions.has(parts.length);
}

/** The pattern as single characters and stars. A `**` followed by a slash may also stand for nothing, as in `.gitignore`. */
function partsOf(pattern: string): readonly string[] {
  return pattern.match(/\*\*+|[^]/gu)?.map((part) => (part.startsWith('**') ? '**' : part)) ?? [];
}

/** Stars may stand for nothing. */
function reachable(parts: readonly string[], positions: ReadonlySet<number>): Set<number> {
  const all = new Set(positions);
  for (const position of all) {
    const part = parts[position];
    if (part === '*' || part === '**') all.add(position + 1);
    if (part === '**' && parts[position + 1] === '/' && (position === 0 || parts[position - 1] === '/')) {
      all.add(position + 2);
    }
  }
  return all;
}

/** The same pattern as a regular expression that PostgreSQL reads as JavaScript does. */
export function globPattern(pattern: string): string {
  const parts = partsOf(pattern);
  const translated = parts.map((part, index) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part === '**') return '.*';
    // The slash after a `**` that starts a segment goes with it.
    const optional = part === '/' && parts[index - 1] === '**' && (index === 1 || parts[index - 2] === '/');
    return optional ? '/?' : part.replace(/[\\^$.|()[\]{}+]/g, '\\$&');
  });
  return `^${translated.join('')}$`;
}
