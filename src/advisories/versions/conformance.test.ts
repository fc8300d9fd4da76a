// Every comparison vector of ../shared/conformance/versions for the schemes we decide.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { versionScheme } from './index.ts';

const FOLDER = new URL('../../../../shared/conformance/versions/', import.meta.url);
const FILES = {
  redhat: 'Red Hat:enterprise_linux:9::baseos',
  debian: 'Debian:12',
  alpine: 'Alpine:v3.20',
  semver: 'npm',
  pypi: 'PyPI',
  maven: 'Maven',
  nuget: 'NuGet',
  rubygems: 'RubyGems',
  packagist: 'Packagist',
  pub: 'Pub',
} as const;

describe.skipIf(!existsSync(FOLDER))('version vectors (needs ../shared/conformance)', () => {
  for (const [file, ecosystem] of Object.entries(FILES)) {
    it(`orders every pair of ${file}.txt`, () => {
      const scheme = versionScheme(ecosystem);
      const wrong: string[] = [];
      let count = 0;
      for (const line of readFileSync(new URL(`${file}.txt`, FOLDER), 'utf8').split('\n')) {
        const match = /^(\S+) ([<=>]) (\S+)$/.exec(line.trim());
        if (match === null) continue;
        const [, a = '', operator, b = ''] = match;
        const order = Math.sign(scheme?.compare(a, b) ?? Number.NaN);
        const back = Math.sign(scheme?.compare(b, a) ?? Number.NaN);
        const expected = operator === '<' ? -1 : operator === '>' ? 1 : 0;
        count++;
        if (order !== expected || back !== (expected === 0 ? 0 : -expected))
          wrong.push(`${line} gave ${order}, ${back}`);
      }
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(20);
    });
  }
});
