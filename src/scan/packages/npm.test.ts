// Installed npm packages: which package.json counts, malformed ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { npm } from './npm.ts';

const PATH = 'srv/app/node_modules/lodash/package.json';

describe('npm', () => {
  it.each([
    ['srv/app/node_modules/lodash/package.json', true],
    ['node_modules/@babel/core/package.json', true],
    ['a/node_modules/.pnpm/x@1.0.0/node_modules/x/package.json', true],
    ['usr/local/lib/node_modules/npm/node_modules/chalk/package.json', true],
    ['srv/app/package.json', false],
    ['a/node_modules/x/dist/esm/package.json', false],
    ['a/node_modules/.bin/package.json', false],
    ['a/node_modules/@scope/package.json', false],
    ['a/my_node_modules/x/package.json', false],
    ['a/node_modules/package.json', false],
  ])('matches %s: %s', (path, matches) => {
    expect(npm.matches(path)).toBe(matches);
  });

  it('reads name, version and licence', () => {
    const text = '\uFEFF{"name":"lodash","version":" v4.17.15","license":{"type":"MIT"}}';
    expect(catalogFile(npm, PATH, text)).toMatchObject({
      packages: [{ kind: 'npm', name: 'lodash', version: '4.17.15', licenses: ['MIT'], path: PATH }],
      problems: [],
    });
  });

  it.each([
    ['{"name":', 'package.json is not JSON'],
    ['[]', 'package.json is not a JSON object'],
    ['null', 'package.json is not a JSON object'],
    ['{"name":"a"}', 'package.json has no usable name and version'],
    ['{"name":"a\\u0000b","version":"1"}', 'package.json has no usable name and version'],
    ['{"name":["a"],"version":"1"}', 'package.json has no usable name and version'],
  ])('says of %s: %s', (text, problem) => {
    expect(catalogFile(npm, PATH, text)).toMatchObject({ packages: [], problems: [problem] });
  });

  it('says something of every file, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.constant('')), (text) => {
        const { packages, problems } = catalogFile(npm, PATH, text);
        expect(packages.length + problems.length).toBe(1);
      }),
    );
  });
});
