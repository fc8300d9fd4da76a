// Python metadata: wheels, eggs, malformed heads.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { python } from './python.ts';

const PATH = 'usr/lib/python3/dist-packages/Flask-2.0.dist-info/METADATA';

describe('python', () => {
  it.each([
    [PATH, true],
    ['a/x.egg-info/PKG-INFO', true],
    ['a/x-1.0-py3.11.egg-info', true],
    ['a/x.egg/EGG-INFO/PKG-INFO', true],
    ['a/x.dist-info/RECORD', false],
    ['METADATA', false],
    ['a/PKG-INFO', false],
  ])('matches %s: %s', (path, matches) => {
    expect(python.matches(path)).toBe(matches);
  });

  it('reads the head and not the description', () => {
    const text =
      'Metadata-Version: 2.1\r\nName: Flask\r\nVersion: 2.0\r\nLicense: BSD\r\n\r\nName: other\r\n';
    expect(catalogFile(python, PATH, text)).toMatchObject({
      packages: [{ kind: 'pypi', name: 'Flask', version: '2.0', licenses: ['BSD'] }],
      problems: [],
    });
  });

  it('says when there is no usable name', () => {
    const problem = 'metadata has no usable Name and Version';
    expect(catalogFile(python, PATH, '\nName: x\nVersion: 1\n').problems).toEqual([problem]);
    expect(catalogFile(python, PATH, 'Name: a b\nVersion: 1\n').problems).toEqual([problem]);
  });

  it('says something of every file, and never throws', () => {
    const line = fc.oneof(fc.constantFrom('Name: x', 'Version: 1', '', ' y'), fc.string());
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { packages, problems } = catalogFile(python, PATH, lines.join('\n'));
        expect(packages.length + problems.length).toBe(1);
      }),
    );
  });
});
