// NuGet versions: Semantic Versioning 2.0.0 with a fourth number and without regard to case (NuGet docs, "Package versioning").
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText } from './digits.ts';
import { comparePreRelease } from './semver.ts';

interface NugetVersion {
  readonly numbers: readonly string[];
  readonly preRelease: readonly string[];
}

const PATTERN = /^v?(\d+(?:\.\d+){0,3})(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z.-]*)?$/;

export const nugetScheme: VersionScheme = {
  name: 'nuget',
  compare(a, b) {
    if (a === b) return 0;
    const left = parse(a);
    const right = parse(b);
    // What cannot be read comes before everything that can, in text order.
    if (left === undefined || right === undefined) {
      if (left === right) return compareText(a.trim().toLowerCase(), b.trim().toLowerCase());
      return left === undefined ? -1 : 1;
    }
    for (let index = 0; index < 4; index++) {
      const order = compareDigits(left.numbers[index] ?? '', right.numbers[index] ?? '');
      if (order !== 0) return order;
    }
    return comparePreRelease(left.preRelease, right.preRelease);
  },
  valid: (version) => parse(version) !== undefined,
};

function parse(version: string): NugetVersion | undefined {
  const match = PATTERN.exec(version.trim().toLowerCase());
  if (match === null) return undefined;
  const [, numbers = '', preRelease] = match;
  return { numbers: numbers.split('.'), preRelease: preRelease === undefined ? [] : preRelease.split('.') };
}
