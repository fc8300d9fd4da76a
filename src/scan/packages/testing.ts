// Test support (imported by tests only): ELF executables with a section of audit data, written byte by byte.
import { deflateSync } from 'node:zlib';

/** The crates of an executable, as cargo-auditable records them. */
const AUDITED_CRATES = [
  { name: 'app', version: '0.1.0', source: 'local', root: true, dependencies: [1] },
  { name: 'time', version: '0.1.43', source: 'crates.io' },
  { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' },
];

/** The bytes of the section `.dep-v0`. */
export function auditData(crates: readonly object[]): Buffer {
  return deflateSync(JSON.stringify({ packages: crates }));
}

export interface ElfOptions {
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
export function elfOf(options: ElfOptions = {}): Buffer {
  const { wide = true, littleEndian = true, place = 'segment', sectionName = '.dep-v0' } = options;
  const data = options.data ?? auditData(AUDITED_CRATES);
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
