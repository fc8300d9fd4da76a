// Each scheme is a total order: antisymmetric, transitive, never throwing, and quick on absurdly long versions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goToolchainVersion, versionScheme } from './index.ts';

const SCHEMES = {
  dpkg: 'Debian:12',
  rpm: 'AlmaLinux:9',
  apk: 'Alpine:edge',
  semver: 'Go',
  pep440: 'PyPI',
  maven: 'Maven',
  nuget: 'NuGet',
  rubygems: 'RubyGems',
  packagist: 'Packagist',
  pub: 'Pub',
} as const;

const FRAGMENTS =
  '0 1 2 9 10 01 00 . . - _ + ~ : ! v go a b rc post dev alpha beta _rc _p _git -r -r1 -0 .post1 .dev0 +local.1 ~deb12u1 ^ Z é *';
const fragment = fc.constantFrom(' ', ...FRAGMENTS.split(' '));
const version = fc.array(fragment, { maxLength: 9 }).map((parts) => parts.join(''));

describe.each(Object.entries(SCHEMES))('the order of %s', (_name, ecosystem) => {
  const scheme = versionScheme(ecosystem);
  const compare = (a: string, b: string) => Math.sign(scheme?.compare(a, b) ?? Number.NaN);

  it('is the same seen from either side, and zero for the same text', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(compare(a, b) + compare(b, a)).toBe(0);
        expect(compare(a, a)).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is transitive', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
        if (compare(a, b) === 0 && compare(b, c) === 0) expect(compare(a, c)).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect([-1, 0, 1]).toContain(compare(a, b));
        expect(typeof scheme?.valid(a)).toBe('boolean');
      }),
    );
  });

  it.each(['1', '1.', '0', 'a', '-', '~', '_rc', '1a', '.dev', '+1.', ' '])(
    'stays quick on 200,000 times %j',
    (unit) => {
      const long = `1${unit.repeat(200_000 / unit.length)}`;
      const started = performance.now();
      compare(long, `${long}!`);
      compare(`${long}?`, long);
      expect(performance.now() - started).toBeLessThan(1_000);
    },
  );
});

describe('validity', () => {
  it.each([
    ['Debian:12', '1:2.3-4~deb12u1', true],
    ['Debian:12', 'none', false],
    ['Rocky Linux:9', '1:2.3^20240101-4.module+el9.1.0+1+ab', true],
    ['Rocky Linux:9', '1.2/3', false],
    ['Alpine:v3.20', '1.2.3_git20240101-r0', true],
    ['Alpine:v3.20', '1.2.3-foo', false],
    ['npm', '1.2.3-beta.1+build', true],
    ['npm', '1.0', true],
    ['npm', 'github:owner/name', false],
    ['npm', '', false],
    ['Go', '(devel)', false],
    ['Go', 'v0.0.0-20220722155237-a158d28d115b', true],
    ['PyPI', '1!2.0.post1.dev2+local', true],
    ['PyPI', 'unknown', false],
    ['RubyGems', '1.2.3.beta1', true],
    ['RubyGems', '1.2.3-java', true],
    ['RubyGems', 'git', false],
    ['Packagist', 'v5.4.0-RC1', true],
    ['Packagist', '1.0.0-beta2.1', true],
    ['Packagist', 'dev-main', false],
    ['Packagist', '1.x-dev', false],
    ['Packagist', '1.0-other', false],
    ['Pub', '1.2.3+4', true],
    ['Hex', '1.2.3-rc.0', true],
    ['SwiftURL', 'main', false],
  ])('%s %s is %s', (ecosystem, text, expected) => {
    expect(versionScheme(ecosystem)?.valid(text)).toBe(expected);
  });

  it('decides nothing for ecosystems whose order is not built', () => {
    for (const ecosystem of ['Hackage', 'nonsense', '']) {
      expect(versionScheme(ecosystem)).toBeUndefined();
    }
  });
});

describe('Go toolchain versions', () => {
  it.each([
    ['go1.21.5', '1.21.5'],
    ['go1.21.5 X:boringcrypto', '1.21.5'],
    ['go1.21', '1.21.0'],
    ['go1.21rc2', '1.21.0-rc.2'],
    ['v1.2.3', 'v1.2.3'],
    ['golang', 'golang'],
  ])('%s is %s', (text, expected) => {
    expect(goToolchainVersion(text)).toBe(expected);
  });

  it('puts a release candidate before its release, in any notation', () => {
    const scheme = versionScheme('Go');
    expect(scheme?.compare('go1.21rc2', '1.21.0')).toBe(-1);
    expect(scheme?.compare('go1.21rc2', '1.21.0-rc.3')).toBe(-1);
    expect(scheme?.compare('go1.21.5 X:boringcrypto', '1.21.5')).toBe(0);
  });
});
