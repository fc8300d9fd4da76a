// The ELF header, program headers and section headers (System V ABI, chapters 4 and 5), read from parts of a file.

export interface ElfHeader {
  readonly wide: boolean;
  readonly littleEndian: boolean;
  /** Where the section headers are: offset, size of one, and how many. */
  readonly sections: { readonly offset: number; readonly size: number; readonly count: number };
  /** Index of the section that holds the names of sections. */
  readonly names: number;
  readonly segments: readonly ElfSegment[];
}

export interface ElfSegment {
  readonly offset: number;
  readonly size: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface ElfSection {
  /** Offset of the name among the names. */
  readonly name: number;
  readonly offset: number;
  readonly size: number;
}

const LOAD = 1;
const EXECUTE = 1;
const WRITE = 2;
const SECTION_WITHOUT_BYTES = 8;
const MAX_SECTIONS = 65_279;

/**
 * Reads the header and the loaded segments from the first bytes of a file; undefined when this is no executable or
 * library, has no section headers, or keeps its program headers elsewhere. Never throws.
 */
export function readElfHeader(head: Buffer): ElfHeader | undefined {
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const wide = head[4] === 2;
  const littleEndian = head[5] === 1;
  if ((!wide && head[4] !== 1) || (!littleEndian && head[5] !== 2)) return undefined;
  const field = fieldsOf(head, littleEndian);
  const type = field(16, 2);
  if (type !== 2 && type !== 3) return undefined;
  const tables = wide
    ? { programs: field(32, 8), sections: field(40, 8), sizes: 54 }
    : { programs: field(28, 4), sections: field(32, 4), sizes: 42 };
  const programSize = field(tables.sizes, 2);
  const programCount = field(tables.sizes + 2, 2);
  const size = field(tables.sizes + 4, 2);
  const count = field(tables.sizes + 6, 2);
  const names = field(tables.sizes + 8, 2);
  if (tables.sections === 0 || size < (wide ? 64 : 40) || count === 0 || count > MAX_SECTIONS)
    return undefined;
  if (names >= count || programSize < (wide ? 56 : 32)) return undefined;
  if (tables.programs + programSize * programCount > head.length) return undefined;
  const segments: ElfSegment[] = [];
  for (let index = 0; index < programCount; index++) {
    const at = tables.programs + index * programSize;
    if (field(at, 4) === LOAD) segments.push(segmentAt(field, at, wide));
  }
  return { wide, littleEndian, sections: { offset: tables.sections, size, count }, names, segments };
}

function segmentAt(field: Fields, at: number, wide: boolean): ElfSegment {
  const flags = field(at + (wide ? 4 : 24), 4);
  return {
    offset: wide ? field(at + 8, 8) : field(at + 4, 4),
    size: wide ? field(at + 32, 8) : field(at + 16, 4),
    writable: (flags & WRITE) !== 0,
    executable: (flags & EXECUTE) !== 0,
  };
}

/** The section headers; `table` holds all of them. Sections without bytes in the file have size 0. */
export function readElfSections(header: ElfHeader, table: Buffer): readonly ElfSection[] {
  const field = fieldsOf(table, header.littleEndian);
  const sections: ElfSection[] = [];
  for (let index = 0; index < header.sections.count; index++) {
    const at = index * header.sections.size;
    if (at + header.sections.size > table.length) break;
    const size = header.wide ? field(at + 32, 8) : field(at + 20, 4);
    sections.push({
      name: field(at, 4),
      offset: header.wide ? field(at + 24, 8) : field(at + 16, 4),
      size: field(at + 4, 4) === SECTION_WITHOUT_BYTES ? 0 : size,
    });
  }
  return sections;
}

type Fields = (at: number, bytes: 2 | 4 | 8) => number;

/** Unsigned fields; eight bytes lose precision above 2^53, far beyond any file. */
function fieldsOf(bytes: Buffer, littleEndian: boolean): Fields {
  return (at, size) => {
    if (size === 8) {
      return Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    }
    return littleEndian ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  };
}
