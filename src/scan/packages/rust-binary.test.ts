// Crates in the `.dep-v0` section of ELF executables: both widths and byte orders, any chunks, hostile headers and data.
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile, type Cataloged } from '../testing.ts';
import { elfOf } from './testing.ts';
import { rustBinary } from './rust-binary.ts';

const PATH = 'usr/local/bin/app';
const EXPECTED = ['app@0.1.0', 'time@0.1.43'];

function coordinates({ packages }: Cataloged): string[] {
  return packages.map((item) => `${item.name}@${item.version}`);
}

describe('rust-binary', () => {
  it.each([true, false])('reads crates in every kind of ELF, wide: %s', (wide) => {
    for (const littleEndian of [true, false]) {
      for (const place of ['segment', 'after'] as const) {
        const found = catalogFile(rustBinary, PATH, elfOf({ wide, littleEndian, place }));
        expect(coordinates(found)).toEqual(EXPECTED);
        expect(found.packages[0]?.kind).toBe('cargo');
        expect(found.problems).toEqual([]);
      }
    }
  });

  it('finds the section wherever chunks are cut', () => {
    const bytes = elfOf();
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 9_000 }), (chunk) => {
        expect(coordinates(catalogFile(rustBinary, PATH, bytes, chunk))).toEqual(EXPECTED);
      }),
      { numRuns: 25 },
    );
  });

  it('finds it in front of and behind more code than it keeps', () => {
    for (const place of ['segment', 'after'] as const) {
      const found = catalogFile(rustBinary, PATH, elfOf({ place, codeBytes: 40_000_000 }));
      expect(coordinates(found)).toEqual(EXPECTED);
    }
  });

  it('passes over small files, other files and executables without the section', () => {
    expect(coordinates(catalogFile(rustBinary, PATH, elfOf({ codeBytes: 1_000 })))).toEqual([]);
    expect(coordinates(catalogFile(rustBinary, PATH, elfOf({ sectionName: '.dep-v1' })))).toEqual([]);
    expect(catalogFile(rustBinary, PATH, Buffer.alloc(100_000, 'x'))).toMatchObject({
      packages: [],
      problems: [],
    });
    expect(rustBinary.matches('usr/share/doc/app.html')).toBe(false);
  });

  it('says what is wrong with the section', () => {
    const problemOf = (data: Buffer) => catalogFile(rustBinary, PATH, elfOf({ data })).problems;
    expect(problemOf(Buffer.from('not compressed'))).toEqual([
      'the audit data of cargo-auditable cannot be decompressed',
    ]);
    expect(problemOf(deflateSync(Buffer.alloc(20_000_000)))).toEqual([
      'the audit data of cargo-auditable cannot be decompressed',
    ]);
    expect(problemOf(deflateSync('{'))).toEqual(['not JSON']);
    expect(problemOf(deflateSync('{"packages":[{"name":"a b","version":"1"}]}'))).toEqual([
      '1 entries have no usable name and version',
    ]);
  });

  it('never throws, whatever the headers say', () => {
    const bytes = elfOf();
    const places = fc.oneof(
      fc.integer({ min: 4, max: 200 }),
      fc.integer({ min: bytes.length - 250, max: bytes.length - 1 }),
    );
    const changes = fc.array(fc.tuple(places, fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1_000, max: 100_000 }), (edits, chunk) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of edits) changed[at] = value;
        catalogFile(rustBinary, PATH, changed, chunk);
      }),
      { numRuns: 400 },
    );
  });
});
