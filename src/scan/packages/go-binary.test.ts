// Go build information in streamed executables: chunk borders, decoys, replacements, old formats.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { goBinary } from './go-binary.ts';
import { BUILD_INFO_MAGIC } from './go-build-info.ts';

const PATH = 'usr/local/bin/server';
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const MARK = Buffer.alloc(16, 0x30);

function inline(text: Buffer): Buffer {
  const length: number[] = [];
  let rest = text.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), text]);
}

function blob(goVersion: string, modules: string): Buffer {
  const header = Buffer.alloc(32);
  BUILD_INFO_MAGIC.copy(header);
  header[14] = 8;
  header[15] = 2;
  const wrapped = Buffer.concat([MARK, Buffer.from(modules), MARK]);
  return Buffer.concat([header, inline(Buffer.from(goVersion)), inline(wrapped)]);
}

function executable(...parts: Buffer[]): Buffer {
  return Buffer.concat([ELF, Buffer.alloc(70_000, 1), ...parts, Buffer.alloc(5_000, 2)]);
}

const MODULES = [
  'path\texample.com/server',
  'mod\texample.com/server\t(devel)\t',
  'dep\tgolang.org/x/net\tv0.1.0\th1:abc=',
  'dep\tgithub.com/old/name\tv1.0.0',
  '=>\tgithub.com/new/name\tv1.0.1\th1:def=',
  'dep\texample.com/local\tv1.2.3',
  '=>\t./local\t(devel)\t',
  'build\t-compiler=gc',
  '',
].join('\n');

const EXPECTED = [
  ['stdlib', '1.21.5'],
  ['example.com/server', '(devel)'],
  ['golang.org/x/net', 'v0.1.0'],
  ['github.com/new/name', 'v1.0.1'],
  ['example.com/local', '(devel)'],
];

function coordinates(bytes: Buffer, chunk?: number): string[][] {
  return catalogFile(goBinary, PATH, bytes, chunk).packages.map((item) => [item.name, item.version]);
}

describe('go-binary', () => {
  it('reads modules, replacements and the toolchain without its experiments', () => {
    expect(coordinates(executable(blob('go1.21.5 X:boringcrypto', MODULES)))).toEqual(EXPECTED);
  });

  it('reads the release of the older BoringCrypto branch', () => {
    expect(coordinates(executable(blob('go1.18.3b7', '')))).toEqual([['stdlib', '1.18.3']]);
    expect(coordinates(executable(blob('go1.21rc2', '')))).toEqual([['stdlib', '1.21rc2']]);
  });

  it.each([
    ['"-s -w -X main.version=v1.4.2"', 'v1.4.2'],
    ['"-X \'example.com/server/build.Version=1.4.2-rc.1\'"', 'v1.4.2-rc.1'],
    ['-X=main.version=1.4.2', 'v1.4.2'],
    ['"-X main.version=dev"', '(devel)'],
    ['"-X other.com/x.version=1.4.2"', '(devel)'],
    ['"-X main.version=1.4.2 -X main.Version=1.5.0"', '(devel)'],
    ['"-X main.commit=1.4.2"', '(devel)'],
  ])('takes the main module version from the linker flags %s', (flags, expected) => {
    const lines = `mod\texample.com/server\t(devel)\t\nbuild\t-ldflags=${flags}\n`;
    expect(coordinates(executable(blob('go1.21.5', lines)))[1]).toEqual(['example.com/server', expected]);
  });

  it('finds it wherever chunks are cut', () => {
    const bytes = executable(blob('go1.21.5', MODULES));
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 2_000 }), (chunk) => {
        expect(coordinates(bytes, chunk)).toEqual(EXPECTED);
      }),
      { numRuns: 30 },
    );
    expect(coordinates(bytes, 13)).toEqual(EXPECTED);
  });

  it('passes over the magic as a string constant in the program', () => {
    const decoy = Buffer.concat([BUILD_INFO_MAGIC, Buffer.alloc(64, 0xff)]);
    const short = Buffer.concat([
      BUILD_INFO_MAGIC,
      Buffer.from([8, 2]),
      Buffer.alloc(16),
      Buffer.from([0xff, 0x7f]),
    ]);
    expect(coordinates(executable(decoy, short, blob('go1.21.5', MODULES)))).toEqual(EXPECTED);
    expect(coordinates(executable(decoy))).toEqual([]);
  });

  it('says that the format before Go 1.18 is not known', () => {
    const old = Buffer.concat([BUILD_INFO_MAGIC, Buffer.from([8, 0]), Buffer.alloc(16)]);
    expect(catalogFile(goBinary, PATH, executable(old)).problems).toEqual([
      'built with Go before 1.18: its modules are unknown',
    ]);
  });

  it('looks at executables only', () => {
    const script = Buffer.concat([Buffer.from('#!/bin/sh\n'), executable(blob('go1.21.5', MODULES))]);
    expect(coordinates(script)).toEqual([]);
    expect(goBinary.matches('usr/lib/libx.so.1')).toBe(true);
    expect(goBinary.matches('usr/share/doc/x.gz')).toBe(false);
    expect(coordinates(blob('go1.21.5', MODULES))).toEqual([]);
  });

  it('never throws, whatever follows the magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 64, max: 4_000 }), (tail, chunk) => {
        const head = Buffer.concat([BUILD_INFO_MAGIC, Buffer.from([8, 2]), Buffer.alloc(16)]);
        catalogFile(goBinary, PATH, executable(head, Buffer.from(tail)), chunk);
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        for (const item of catalogFile(goBinary, PATH, executable(blob('go1.2', lines.join('\n'))))
          .packages) {
          expect(item.name).toMatch(/^[^\s\p{Cc}]+$/u);
        }
      }),
      { numRuns: 60 },
    );
  });
});
