// RPM headers as databases hold them (rpm's "Header format", without lead and magic): an index of tags, then their data.

/** What is wanted of a package's header. */
export interface RpmHeader {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  /** 0 when the package has none. */
  readonly epoch: number;
  readonly architecture: string | undefined;
  /** File name of the source package, `bash-5.1.8-9.el9.src.rpm`. */
  readonly sourceRpm: string | undefined;
  readonly license: string | undefined;
  /** `name:stream:version:context` of the module (Fedora modularity) the package was built in. */
  readonly moduleLabel: string | undefined;
  /** Absolute paths of the package's files. */
  readonly files: () => Iterable<string>;
}

const TAGS = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  architecture: 1022,
  sourceRpm: 1044,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  moduleLabel: 5096,
} as const;
const WANTED: ReadonlySet<number> = new Set(Object.values(TAGS));

const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;
const I18N_STRING = 9;
const ENTRY_BYTES = 16;
/** rpm's own limit. */
const MAX_TAGS = 65_535;
/** Values read of one tag: more than any package has files. */
const MAX_VALUES = 500_000;
/** Linux refuses longer paths (PATH_MAX). */
const MAX_PATH = 4096;

interface Tag {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/** The header that the blob holds; undefined when it is damaged or has no name and version. */
export function readRpmHeader(blob: Buffer): RpmHeader | undefined {
  if (blob.length < 8) return undefined;
  const tags = blob.readUInt32BE(0);
  const dataStart = 8 + tags * ENTRY_BYTES;
  const dataEnd = dataStart + blob.readUInt32BE(4);
  if (tags === 0 || tags > MAX_TAGS || dataEnd > blob.length) return undefined;
  const index = new Map<number, Tag>();
  for (let entry = 8; entry < dataStart; entry += ENTRY_BYTES) {
    const tag = blob.readUInt32BE(entry);
    if (!WANTED.has(tag)) continue;
    const [type, offset, count] = [4, 8, 12].map((at) => blob.readUInt32BE(entry + at));
    if (type !== undefined && offset !== undefined && count !== undefined)
      index.set(tag, { type, offset, count });
  }
  const data = new HeaderData(blob.subarray(dataStart, dataEnd), index);
  const name = data.text(TAGS.name);
  const version = data.text(TAGS.version);
  const release = data.text(TAGS.release);
  if (name === undefined || version === undefined || release === undefined) return undefined;
  return {
    name,
    version,
    release,
    epoch: data.numbers(TAGS.epoch)[0] ?? 0,
    architecture: data.text(TAGS.architecture),
    sourceRpm: data.text(TAGS.sourceRpm),
    license: data.text(TAGS.license),
    moduleLabel: data.text(TAGS.moduleLabel),
    files: () => filesOf(data),
  };
}

class HeaderData {
  readonly #data: Buffer;
  readonly #index: ReadonlyMap<number, Tag>;

  constructor(data: Buffer, index: ReadonlyMap<number, Tag>) {
    this.#data = data;
    this.#index = index;
  }

  text(tag: number): string | undefined {
    for (const text of this.texts(tag)) return text;
    return undefined;
  }

  /** The strings of a tag, as far as the data reaches. */
  *texts(tag: number): Generator<string> {
    const found = this.#index.get(tag);
    if (found === undefined || ![STRING, STRING_ARRAY, I18N_STRING].includes(found.type)) return;
    let start = found.offset;
    for (let left = found.type === STRING ? 1 : Math.min(found.count, MAX_VALUES); left > 0; left--) {
      const end = start < this.#data.length ? this.#data.indexOf(0, start) : -1;
      if (end < 0) return;
      yield this.#data.toString('utf8', start, end);
      start = end + 1;
    }
  }

  numbers(tag: number): readonly number[] {
    const found = this.#index.get(tag);
    if (found === undefined || found.type !== INT32) return [];
    const fits = Math.max(0, Math.floor((this.#data.length - found.offset) / 4));
    return Array.from({ length: Math.min(found.count, fits, MAX_VALUES) }, (_, item) =>
      this.#data.readUInt32BE(found.offset + item * 4),
    );
  }
}

/** Paths are stored as base names, each with the number of its folder. */
function* filesOf(data: HeaderData): Generator<string> {
  const folders = [...data.texts(TAGS.directoryNames)];
  const numbers = data.numbers(TAGS.directoryIndexes);
  let file = 0;
  for (const base of data.texts(TAGS.baseNames)) {
    const folder = folders[numbers[file++] ?? -1];
    if (folder !== undefined && folder.length + base.length <= MAX_PATH) yield folder + base;
  }
}
