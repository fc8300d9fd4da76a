// Look-up keys of package names.
import { describe, expect, it } from 'vitest';
import { normalizePackageName } from './package-name.ts';

describe('normalizePackageName', () => {
  it.each([
    ['PyPI', 'Foo.Bar__baz', 'foo-bar-baz'],
    ['NuGet', 'Newtonsoft.Json', 'newtonsoft.json'],
    ['Packagist:https://packages.drupal.org/8', 'Drupal/Core', 'drupal/core'],
    ['SwiftURL', 'https://github.com/Apple/swift-nio.git', 'github.com/apple/swift-nio'],
    ['SwiftURL', 'git@github.com:apple/swift-nio.git', 'github.com/apple/swift-nio'],
    ['SwiftURL', 'github.com/apple/swift-nio', 'github.com/apple/swift-nio'],
    ['RubyGems', 'RedCloth', 'RedCloth'],
    ['npm', '@Scope/Name', '@Scope/Name'],
    ['Go', 'github.com/Owner/Repo/v2', 'github.com/Owner/Repo/v2'],
    ['Debian:12', ' zlib ', 'zlib'],
  ])('%s %s is %s', (ecosystem, name, expected) => {
    expect(normalizePackageName(ecosystem, name)).toBe(expected);
  });

  it('bounds the length', () => {
    expect(normalizePackageName('npm', 'x'.repeat(10_000))).toHaveLength(512);
  });
});
