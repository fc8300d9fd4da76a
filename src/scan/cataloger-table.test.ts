// Which catalogers read a path, and that several broad ones share the bytes of one file.
import { describe, expect, it } from 'vitest';
import type { Cataloger } from './cataloger.ts';
import { CatalogerTable } from './cataloger-table.ts';
import { catalogEntries } from './testing.ts';
import { elfOf } from './packages/testing.ts';

function cataloger(
  name: string,
  matches: (path: string) => boolean,
  more: Partial<Cataloger> = {},
): Cataloger {
  return { name, version: 1, matches, reading: () => undefined, ...more };
}

describe('the table of catalogers', () => {
  const table = new CatalogerTable([
    cataloger('named', (path) => path.startsWith('a/'), { fileNames: ['x.lock'] }),
    cataloger('also-named', (path) => path.startsWith('b/'), { fileNames: ['x.lock'] }),
    cataloger('by-path', (path) => path.endsWith('.json')),
    cataloger('broad', (path) => !path.endsWith('.txt'), { broad: true }),
    cataloger('also-broad', (path) => path.endsWith('.lock'), { broad: true }),
  ]);

  it.each([
    ['a/x.lock', ['named']],
    ['b/x.lock', ['also-named']],
    ['c/x.lock', ['broad', 'also-broad']],
    ['c/y.json', ['by-path']],
    ['x.lock/y', ['broad']],
    ['c/y.txt', []],
  ])('%s is read by %j', (path, names) => {
    expect(table.of(path).map((one) => one.name)).toEqual(names);
    expect(table.knows(path)).toBe(names.length > 0);
  });

  it('gives one executable to every cataloger that looks into executables', () => {
    // A Go toolchain's build information (strings inline) in the code of an executable with audit data of Rust crates.
    const elf = elfOf();
    const information = Buffer.concat([
      Buffer.from('\xff Go buildinf:', 'latin1'),
      Buffer.from([8, 2]),
      Buffer.alloc(16),
      Buffer.from([8]),
      Buffer.from('go1.21.5'),
      Buffer.from([0]),
    ]);
    information.copy(elf, 16_384);
    const { packages, problems } = catalogEntries([{ path: 'usr/bin/both', content: elf }]);
    expect(packages.map((item) => `${item.kind} ${item.name}`)).toEqual([
      'golang stdlib',
      'cargo app',
      'cargo time',
    ]);
    expect(problems).toEqual([]);
  });
});
