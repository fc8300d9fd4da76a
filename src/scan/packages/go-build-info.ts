// The build information blob in Go executables (Go's debug/buildinfo): found by its magic, strings inline since Go 1.18.

/** Starts the blob; 14 bytes, so that 13 carried bytes join two chunks. */
export const BUILD_INFO_MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');

const HEADER_BYTES = 32;
const FLAGS_OFFSET = 15;
const POINTER_SIZE_OFFSET = 14;
const INLINE_STRINGS = 2;
const MAX_VERSION_BYTES = 1024;
const MAX_MODULES_BYTES = 4 * 1024 * 1024;
/** The linker wraps the module lines in two 16-byte marks. */
const MARK_BYTES = 16;

export type BuildInfoBlob =
  | { readonly state: 'read'; readonly goVersion: string; readonly modules: string }
  /** At least this many bytes from the magic on are needed. */
  | { readonly state: 'short'; readonly bytes: number }
  /** Looks like the format before Go 1.18, whose strings stand elsewhere in the file. */
  | { readonly state: 'old' }
  | { readonly state: 'invalid' };

/** Reads a blob; `data` starts at the magic. */
export function readBuildInfo(data: Buffer): BuildInfoBlob {
  if (data.length < HEADER_BYTES) return { state: 'short', bytes: HEADER_BYTES };
  const flags = data[FLAGS_OFFSET] ?? 0;
  if ((flags & INLINE_STRINGS) === 0) {
    const pointerSize = data[POINTER_SIZE_OFFSET];
    return { state: flags <= 1 && (pointerSize === 4 || pointerSize === 8) ? 'old' : 'invalid' };
  }
  const version = readString(data, HEADER_BYTES, MAX_VERSION_BYTES);
  if (version.state !== 'read') return version;
  const goVersion = version.bytes.toString('utf8');
  if (!/^(?:go\d|devel)/.test(goVersion)) return { state: 'invalid' };
  const modules = readString(data, version.end, MAX_MODULES_BYTES);
  if (modules.state !== 'read') return modules;
  const { bytes } = modules;
  const wrapped = bytes.length > 2 * MARK_BYTES && bytes[bytes.length - MARK_BYTES - 1] === 0x0a;
  return {
    state: 'read',
    goVersion,
    modules: wrapped ? bytes.subarray(MARK_BYTES, -MARK_BYTES).toString('utf8') : '',
  };
}

type StringAt =
  | { readonly state: 'read'; readonly bytes: Buffer; readonly end: number }
  | { readonly state: 'short'; readonly bytes: number }
  | { readonly state: 'invalid' };

/** A string as the linker writes it: its length as an unsigned varint, then its bytes. */
function readString(data: Buffer, offset: number, limit: number): StringAt {
  let length = 0;
  for (let index = 0; index < 4; index++) {
    const byte = data[offset + index];
    if (byte === undefined) return { state: 'short', bytes: offset + index + 1 };
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      const start = offset + index + 1;
      const end = start + length;
      if (length > limit) return { state: 'invalid' };
      if (end > data.length) return { state: 'short', bytes: end };
      return { state: 'read', bytes: data.subarray(start, end), end };
    }
  }
  return { state: 'invalid' };
}

export interface GoModule {
  readonly path: string;
  /** As recorded, e.g. `v1.2.3`, `(devel)` or empty. */
  readonly version: string;
}

export interface GoModules {
  readonly main: GoModule | undefined;
  /** Dependencies, with replacements applied. */
  readonly dependencies: readonly GoModule[];
  readonly malformed: number;
}

const MAX_DEPENDENCIES = 20_000;

/** Parses the tab-separated module lines: `mod`, `dep` and, for the line before it, `=>`. */
export function parseModules(text: string): GoModules {
  let main: GoModule | undefined;
  const dependencies: GoModule[] = [];
  let last: 'main' | 'dependency' | undefined;
  let malformed = 0;
  for (const line of text.split('\n')) {
    const [word, path, version = ''] = line.split('\t');
    if (word !== 'mod' && word !== 'dep' && word !== '=>') continue;
    if (path === undefined || path === '' || dependencies.length >= MAX_DEPENDENCIES) {
      malformed++;
    } else if (word === 'mod') {
      main = { path, version };
      last = 'main';
    } else if (word === 'dep') {
      dependencies.push({ path, version });
      last = 'dependency';
    } else if (last === 'main') main = replaced(main, { path, version });
    else if (last === 'dependency') dependencies.push(replaced(dependencies.pop(), { path, version }));
    else malformed++;
  }
  return { main, dependencies, malformed };
}

/** A module replaced by a folder keeps its name, and its version is not known any more. */
function replaced(original: GoModule | undefined, replacement: GoModule): GoModule {
  const local = /^(?:\.{0,2}[/\\]|[A-Za-z]:)/.test(replacement.path);
  return local && original !== undefined ? { path: original.path, version: '' } : replacement;
}
