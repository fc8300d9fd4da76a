// Crates in the `.dep-v0` section of ELF executables: both widths and byte orders, any chunks, hostile headers and data.
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile, type Cataloged } from '../testing.ts';
import { rustBinary } from './rust-binary.ts';

const PATH = 'usr/local/bin/app';
const AUDIT = {
  packages: [
    { name: 'app', version: '0.1.0', source: 'local', root: true, dependencies: [1] },
    { name: 'time', version: '0.1.43', source: 'crates.io' },
    { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' },
  ],
};
const EXPECTED = ['app@0.1.0', 'time@0.1.43'];

interface ElfOptions {
  readonly wide?: boolean;
  readonly littleEndian?: boolean;
  /** The section's bytes, and whether they stand in the read-only segment or behind all segments. */
  readonly data?: Buffer;
  readonly place?: 'segment' | 'after';
  readonly sectionName?: string;
  /** Bytes of code between the read-only data and what follows. */
  readonly codeBytes?: number;
}

/** An executable with a read-only segment, a code segment, the section, the section names and the section headers. */
function elfOf(options: ElfOptions = {}): Buffer {
  const { wide = true, littleEndian = true, place = 'segment', sectionName = '.dep-v0' } = options;
  const data = options.data ?? deflateSync(JSON.stringify(AUDIT));
  const [headerSize, programSize, sectionSize] = wide ? [64, 56, 64] : [52, 32, 40];
  const names = Buffer.from(`\0.shstrtab\0${sectionName}\0`);
  const inSegment = place === 'segment' ? data : Buffer.alloc(0);
  const readOnly = { offset: 4096, size: 1000 + inSegment.length };
  const code = { offset: 8192 + data.length, size: options.codeBytes ?? 70_000 };
  const after = code.offset + code.size;
  const dataOffset = place === 'segment' ? 5096 : after;
  const namesOffset = after + data.length;
  const tableOffset = namesOffset + names.length;
  const bytes = Buffer.alloc(tableOffset + 3 * sectionSize);
  const put = (at: number, value: number, size: 1 | 2 | 4 | 8): void => {
    if (size === 8 && littleEndian) bytes.writeBigUInt64LE(BigInt(value), at);
    else if (size === 8) bytes.writeBigUInt64BE(BigInt(value), at);
    else if (littleEndian) bytes.writeUIntLE(value, at, size);
    else bytes.writeUIntBE(value, at, size);
  };
  const word = wide ? 8 : 4;
  bytes.write('\x7fELF', 'latin1');
  put(4, wide ? 2 : 1, 1);
  put(5, littleEndian ? 1 : 2, 1);
  put(16, 3, 2);
  put(wide ? 32 : 28, headerSize, word);
  put(wide ? 40 : 32, tableOffset, word);
  const sizes = [programSize, 2, sectionSize, 3, 1];
  sizes.forEach((size, index) => put((wide ? 54 : 42) + 2 * index, size, 2));
  [readOnly, code].forEach((segment, index) => {
    const at = headerSize + index * programSize;
    put(at, 1, 4);
    put(at + (wide ? 4 : 24), index === 0 ? 4 : 5, 4);
    put(at + (wide ? 8 : 4), segment.offset, word);
    put(at + (wide ? 32 : 16), segment.size, word);
  });
  const sections = [
    { name: 1, type: 3, offset: namesOffset, size: names.length },
    { name: 11, type: 1, offset: dataOffset, size: data.length },
  ];
  sections.forEach((section, index) => {
    const at = tableOffset + (index + 1) * sectionSize;
    put(at, section.name, 4);
    put(at + 4, section.type, 4);
    put(at + (wide ? 24 : 16), section.offset, word);
    put(at + (wide ? 32 : 20), section.size, word);
  });
  data.copy(bytes, dataOffset);
  names.copy(bytes, namesOffset);
  return bytes;
}

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
