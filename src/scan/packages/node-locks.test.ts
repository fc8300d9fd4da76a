// package-lock.json, yarn.lock and pnpm-lock.yaml, in every version of their formats.
import { describe, expect, it } from 'vitest';
import { catalogFile, type Cataloged } from '../testing.ts';
import { lockFiles } from './lock-files.ts';

function read(file: string, content: string | object): Cataloged {
  const cataloger = lockFiles.find((lock) => lock.fileNames?.includes(file));
  if (cataloger === undefined) throw new Error(`no cataloger of ${file}`);
  return catalogFile(cataloger, file, typeof content === 'string' ? content : JSON.stringify(content));
}

function coordinates({ packages }: Cataloged): string[] {
  return packages.map((item) => `${item.kind} ${item.name}@${item.version}`).toSorted();
}

describe('package-lock.json', () => {
  it('version 1: nested dependencies, aliases, local folders left out', () => {
    const found = read('package-lock.json', {
      lockfileVersion: 1,
      dependencies: {
        lodash: { version: '4.17.15' },
        '@babel/core': { version: '7.1.0', dev: true, dependencies: { lodash: { version: '4.17.21' } } },
        old: { version: 'npm:new@2.0.0' },
        local: { version: 'file:../local' },
        forked: { version: 'git+ssh://git@example.com/forked.git#abc' },
      },
    });
    expect(coordinates(found)).toEqual([
      'npm @babel/core@7.1.0',
      'npm forked@git+ssh://git@example.com/forked.git#abc',
      'npm lodash@4.17.15',
      'npm lodash@4.17.21',
      'npm new@2.0.0',
    ]);
    expect(found.problems).toEqual([]);
  });

  it.each([2, 3])(
    'version %i: package folders; the project, its workspaces and links are not packages',
    (version) => {
      const found = read('npm-shrinkwrap.json', {
        lockfileVersion: version,
        packages: {
          '': { name: 'app', version: '1.0.0' },
          'packages/own': { version: '1.0.0' },
          'node_modules/own': { resolved: 'packages/own', link: true },
          'node_modules/lodash': { version: '4.17.15' },
          'node_modules/a/node_modules/@scope/b': { version: '1.2.3' },
          'node_modules/alias': { name: 'real', version: '3.0.0' },
        },
        dependencies: { ignored: { version: '1.0.0' } },
      });
      expect(coordinates(found)).toEqual(['npm @scope/b@1.2.3', 'npm lodash@4.17.15', 'npm real@3.0.0']);
    },
  );

  it('says what it cannot use', () => {
    expect(read('package-lock.json', '{').problems).toEqual(['not JSON']);
    expect(read('package-lock.json', '[]').problems).toEqual(['not a JSON object']);
    expect(read('package-lock.json', { packages: { 'node_modules/a': {} } }).problems).toEqual([
      '1 entries have no usable name and version',
    ]);
  });
});

describe('yarn.lock', () => {
  it('of Yarn 1', () => {
    const text = [
      '# yarn lockfile v1',
      '',
      '"@babel/core@^7.0.0", "@babel/core@^7.1.0":',
      '  version "7.1.0"',
      '  resolved "https://registry.yarnpkg.com/@babel/core/-/core-7.1.0.tgz#abc"',
      '  dependencies:',
      '    lodash "^4.17.10"',
      '    version "9.9.9"',
      '',
      'lodash@^4.17.10, lodash@^4.17.11:',
      '  version "4.17.15"',
      '',
      'alias@npm:real@^3:',
      '  version "3.0.0"',
      '',
      '"local@file:../local":',
      '  version "1.0.0"',
      '',
    ].join('\n');
    for (const end of ['\n', '\r\n']) {
      expect(coordinates(read('yarn.lock', text.replaceAll('\n', end)))).toEqual([
        'npm @babel/core@7.1.0',
        'npm lodash@4.17.15',
        'npm real@3.0.0',
      ]);
    }
  });

  it('of Yarn 2 and later', () => {
    const text = [
      '__metadata:',
      '  version: 8',
      '  cacheKey: 10c0',
      '',
      '"alias@npm:real@^3":',
      '  version: 3.0.0',
      '  resolution: "real@npm:3.0.0"',
      '  languageName: node',
      '',
      '"app@workspace:.":',
      '  version: 0.0.0-use.local',
      '  resolution: "app@workspace:."',
      '',
      '"@scope/b@npm:^1.0.0, @scope/b@npm:^1.2.0":',
      '  version: 1.2.3',
      '  resolution: "@scope/b@npm:1.2.3"',
      '  dependencies:',
      '    lodash: "npm:^4"',
      '',
      '"fsevents@patch:fsevents@npm%3A~2.3.2#optional!builtin<compat/fsevents>":',
      '  version: 2.3.2',
      '  resolution: "fsevents@patch:fsevents@npm%3A2.3.2#optional!builtin<compat/fsevents>::version=2.3.2"',
    ].join('\n');
    expect(coordinates(read('yarn.lock', text))).toEqual([
      'npm @scope/b@1.2.3',
      'npm fsevents@2.3.2',
      'npm real@3.0.0',
    ]);
  });
});

describe('pnpm-lock.yaml', () => {
  it.each([
    [
      '5.4',
      ['/lodash/4.17.15:', '/@babel/core/7.1.0_supports-color@8.1.1:', '/debug/4.3.4_supports-color@8.1.1:'],
    ],
    [
      "'6.0'",
      [
        '/lodash@4.17.15:',
        "'/@babel/core@7.1.0(supports-color@8.1.1)':",
        '/debug@4.3.4(supports-color@8.1.1):',
      ],
    ],
    ["'9.0'", ['lodash@4.17.15:', "'@babel/core@7.1.0':", 'debug@4.3.4:']],
  ])('version %s', (version, keys) => {
    const entries = keys.flatMap((key) => [
      `  ${key}`,
      '    resolution: {integrity: sha512-abc==}',
      '    dev: false',
      '',
    ]);
    const text = [
      `lockfileVersion: ${version}`,
      'importers:',
      '  .:',
      '    dependencies:',
      '      lodash:',
      '        version: 4.17.15',
      '',
      'packages:',
      '',
      ...entries,
      '  file:../local:',
      '    resolution: {directory: ../local, type: directory}',
      '  github.com/owner/forked/abc:',
      '    resolution: {tarball: https://codeload.github.com/owner/forked/tar.gz/abc}',
      '    name: forked',
      '    version: 1.2.3',
      '',
      'snapshots:',
      '',
      "  'other@9.9.9(peer@1.0.0)':",
      '    dependencies:',
      '      lodash: 4.17.15',
    ].join('\n');
    expect(coordinates(read('pnpm-lock.yaml', text))).toEqual([
      'npm @babel/core@7.1.0',
      'npm debug@4.3.4',
      'npm forked@1.2.3',
      'npm lodash@4.17.15',
    ]);
  });

  it('takes name and version of archives from the entry', () => {
    const text = [
      "lockfileVersion: '9.0'",
      'packages:',
      '  forked@https://codeload.github.com/owner/forked/tar.gz/abc:',
      '    resolution: {tarball: https://codeload.github.com/owner/forked/tar.gz/abc}',
      '    version: 1.2.3',
      '  local@file:../local:',
      '    resolution: {directory: ../local, type: directory}',
      '    version: 1.0.0',
    ].join('\n');
    expect(coordinates(read('pnpm-lock.yaml', text))).toEqual(['npm forked@1.2.3']);
  });

  it('says that something else is not its format', () => {
    expect(read('pnpm-lock.yaml', 'packages:\n').problems).toEqual(['no lockfileVersion']);
  });
});
