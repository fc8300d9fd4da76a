// One text, one secret: of matches that share characters the best founded stands.
import type { SecretMatch } from './types.ts';

const KINDS = ['token', 'assigned', 'generic'] as const;

/** Proven structure first, then the more specific kind, then the longer value, then the order of the library. */
export function withoutOverlaps(matches: readonly SecretMatch[]): readonly SecretMatch[] {
  const ranked = matches.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      b.value.length - a.value.length ||
      a.rule.order - b.rule.order ||
      a.start - b.start,
  );
  const kept: SecretMatch[] = [];
  for (const match of ranked) if (!kept.some((other) => overlap(match, other))) kept.push(match);
  return kept.toSorted((a, b) => a.start - b.start);
}

function rank({ rule, validated }: SecretMatch): number {
  return (validated === 'structure' ? 0 : KINDS.length) + KINDS.indexOf(rule.kind);
}

function overlap(a: SecretMatch, b: SecretMatch): boolean {
  return a.start < b.start + b.value.length && b.start < a.start + a.value.length;
}
