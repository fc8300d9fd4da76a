// Composition of layers: whiteouts, opaque folders, replaced files, owners; checked against a file system model.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogerVersions } from './catalogers.ts';
import { composeImage } from './compose.ts';
import { catalogEntries, type TarEntry } from './testing.ts';
import type { LayerResult } from './types.ts';

function layer(entries: readonly TarEntry[], hides: Partial<LayerResult> = {}): LayerResult {
  const facts = { catalogers: catalogerVersions, diffId: null, complete: true, size: 0, uncompressedSize: 0 };
  return { ...facts, ...catalogEntries(entries), ...hides };
}

function npmFile(folder: string, name: string, version = '1.0.0'): TarEntry {
  return { path: `${folder}/node_modules/${name}/package.json`, content: JSON.stringify({ name, version }) };
}

function status(...packages: readonly string[]): TarEntry {
  const content = packages.map((name) => `Package: ${name}\nVersion: 1\n`).join('\n');
  return { path: 'var/lib/dpkg/status', content };
}

function names(layers: readonly LayerResult[]): string[] {
  return composeImage(layers).packages.map((item) => `${item.name}@${item.version}#${item.layer}`);
}

describe('composition', () => {
  it('takes the topmost copy of a package database', () => {
    expect(names([layer([status('a', 'b')]), layer([status('b', 'c')])])).toEqual(['b@1#1', 'c@1#1']);
  });

  it('drops what whiteouts and opaque folders hide, in lower layers only', () => {
    const lower = layer([npmFile('app', 'a'), npmFile('app', 'b'), npmFile('srv', 'c')]);
    expect(names([lower, layer([], { whiteouts: ['app/node_modules/a'] })])).toEqual([
      'b@1.0.0#0',
      'c@1.0.0#0',
    ]);
    expect(names([lower, layer([npmFile('app', 'd')], { opaque: ['app'] })])).toEqual([
      'c@1.0.0#0',
      'd@1.0.0#1',
    ]);
    expect(names([lower, layer([], { opaque: [''] })])).toEqual([]);
    expect(names([layer([], { whiteouts: ['app', 'srv'] }), lower])).toHaveLength(3);
    expect(names([lower, layer([], { whiteouts: ['app/node_modules/ab', 'ap'] })])).toHaveLength(3);
  });

  it('drops a package whose file is replaced, also by a link or under a folder that became a file', () => {
    const lower = layer([npmFile('app', 'a')]);
    const path = 'app/node_modules/a/package.json';
    expect(names([lower, layer([npmFile('app', 'a', '2.0.0')])])).toEqual(['a@2.0.0#1']);
    expect(names([lower, layer([{ path, type: 'symlink', link: '/x' }])])).toEqual([]);
    expect(names([lower, layer([{ path: 'app', type: 'symlink', link: '/x' }])])).toEqual([]);
    expect(names([lower, layer([{ path: 'app/node_modules', content: '' }])])).toEqual([]);
  });

  it('keeps the package of a hard link', () => {
    const link: TarEntry = {
      path: 'b/node_modules/a/package.json',
      type: 'hardlink',
      link: './app/node_modules/a/package.json',
    };
    expect(composeImage([layer([npmFile('app', 'a'), link])]).packages.map((item) => item.path)).toEqual([
      'app/node_modules/a/package.json',
      'b/node_modules/a/package.json',
    ]);
    expect(composeImage([layer([link])]).problems.map((problem) => problem.code)).toEqual([
      'SCAN_HARD_LINK_UNREAD',
    ]);
  });

  it('marks language packages that an installed system package owns, across merged /usr', () => {
    const path = 'usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA';
    const metadata = { path, content: 'Name: six\nVersion: 1.16.0\n' };
    const list = { path: 'var/lib/dpkg/info/python3-six.list', content: `/.\n/lib/${path.slice(8)}\n` };
    const lower = layer([metadata, list, status('python3-six')]);
    const six = (layers: LayerResult[]): unknown =>
      composeImage(layers).packages.find((item) => item.name === 'six')?.ownedBy;
    expect(six([lower])).toBe('python3-six');
    expect(six([lower, layer([status('other')])])).toBeUndefined();
    expect(six([layer([metadata, status('python3-six')])])).toBeUndefined();
  });

  it('takes os-release from etc/ first, else from usr/lib/', () => {
    const etc = { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID=12\n' };
    const usr = { path: 'usr/lib/os-release', content: 'ID=other\n' };
    expect(composeImage([layer([usr]), layer([etc])]).distribution?.id).toBe('debian');
    expect(composeImage([layer([etc, usr]), layer([], { whiteouts: ['etc'] })]).distribution?.id).toBe(
      'other',
    );
    expect(composeImage([layer([])]).distribution).toBeNull();
  });

  it('drops the problems of files that are gone', () => {
    const broken = layer([{ path: 'a/node_modules/x/package.json', content: '{' }]);
    expect(composeImage([broken]).problems).toMatchObject([
      { layer: 0, path: 'a/node_modules/x/package.json' },
    ]);
    expect(composeImage([broken, layer([], { whiteouts: ['a'] })]).problems).toEqual([]);
  });

  it('agrees with a file system that the layers are unpacked into, one after the other', () => {
    const folder = fc.constantFrom('a', 'a/b', 'c');
    const change = fc.oneof(
      fc.record({
        kind: fc.constant('put' as const),
        folder,
        name: fc.constantFrom('x', 'y'),
        version: fc.nat(9),
      }),
      fc.record({
        kind: fc.constant('remove' as const),
        path: fc.constantFrom('a', 'a/b', 'c', 'a/node_modules/x'),
      }),
      fc.record({ kind: fc.constant('opaque' as const), path: fc.constantFrom('a', 'a/b', 'c') }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 5 }), (layers) => {
        const model = new Map<string, string>();
        const results = layers.map((changes, index) => {
          const under = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`);
          for (const one of changes) {
            if (one.kind === 'put') continue;
            for (const path of model.keys()) if (under(path, one.path)) model.delete(path);
          }
          const entries = changes.flatMap((one) =>
            one.kind === 'put' ? [npmFile(one.folder, one.name, `${one.version}.0.0`)] : [],
          );
          for (const { path, content = '' } of entries) model.set(path, `${String(content)}#${index}`);
          const whiteouts = changes.flatMap((one) => (one.kind === 'remove' ? [one.path] : []));
          const opaque = changes.flatMap((one) => (one.kind === 'opaque' ? [one.path] : []));
          return layer(entries, { whiteouts, opaque });
        });
        const composed = composeImage(results).packages.map((item) => {
          const content = JSON.stringify({ name: item.name, version: item.version });
          return `${item.path} ${content}#${item.layer}`;
        });
        expect(composed.toSorted()).toEqual(
          [...model].map(([path, content]) => `${path} ${content}`).toSorted(),
        );
      }),
    );
  });
});
