// Dart packages (pub_semver): Semantic Versioning, where build metadata has precedence too, above none.
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, skipDigits } from './digits.ts';
import { semverScheme } from './semver.ts';

export const pubScheme: VersionScheme = {
  name: 'pub',
  compare: (a, b) => semverScheme.compare(a, b) || compareBuilds(buildOf(a), buildOf(b)),
  valid: (version) => semverScheme.valid(version),
};

/** Identifiers after the first `+`; none where there is no build. */
function buildOf(version: string): readonly string[] {
  const plus = version.indexOf('+');
  return plus < 0
    ? []
    : version
        .slice(plus + 1)
        .trim()
        .split('.');
}

function compareBuilds(left: readonly string[], right: readonly string[]): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const order = compareIdentifiers(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(left.length - right.length);
}

/** Numbers before words. */
function compareIdentifiers(a: string, b: string): number {
  const leftNumber = isNumber(a);
  if (leftNumber !== isNumber(b)) return leftNumber ? -1 : 1;
  return leftNumber ? compareDigits(a, b) : compareText(a, b);
}

function isNumber(identifier: string): boolean {
  return identifier !== '' && skipDigits(identifier, 0) === identifier.length;
}
