// What the lock files of all languages have in common: where they count, their limits, and the rows they give.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import type { PackageKind } from '../types.ts';
import { isPackageName, isPackageVersion } from './coordinates.ts';

/** One format of lock file, as a row of the table in `lock-files.ts`. */
export interface LockFile {
  /** Name and version of the cataloger. */
  readonly name: string;
  readonly version: number;
  readonly fileNames: readonly string[];
  /** `both` only for languages that leave no other trace of what is installed in an image. */
  readonly scope: 'directory' | 'both';
  /** Why it counts where it does, in one sentence. */
  readonly reason: string;
  /** Problems go to the sink; what it throws is a problem of the file too. */
  read(bytes: Buffer, sink: CatalogSink): void;
}

/** The largest lock files of real projects have about 10 MiB. */
const MAX_BYTES = 32 * MiB;

/** Folders of dependencies: the lock files in there are those of the dependencies' own developers. */
const DEPENDENCIES =
  /(?:^|\/)(?:node_modules|bower_components|vendor|site-packages|dist-packages|\.venv|venv|\.cargo|\.pub-cache|\.build|gems\/[^/]+-\d[^/]*)\//;

/** The cataloger of one format. */
export function lockFileCataloger(lock: LockFile): Cataloger {
  const names = new Set(lock.fileNames);
  return {
    name: lock.name,
    version: lock.version,
    scope: lock.scope,
    fileNames: lock.fileNames,
    matches: (path) => names.has(path.slice(path.lastIndexOf('/') + 1)) && !DEPENDENCIES.test(path),
    reading: () => ({ how: 'whole', limit: MAX_BYTES, read: (bytes, sink) => lock.read(bytes, sink) }),
  };
}

/** UTF-8 text without a byte order mark. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** The lines of a text, one at a time, without their ends. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    yield text.slice(start, text.charCodeAt(end - 1) === 0x0d && end > start ? end - 1 : end);
    start = end + 1;
  }
}

/** Hands a file's packages to the sink: each name and version once, unusable ones counted in one problem. */
export class PackageRows {
  readonly #kind: PackageKind;
  readonly #sink: CatalogSink;
  readonly #seen = new Set<string>();
  #unusable = 0;

  constructor(kind: PackageKind, sink: CatalogSink) {
    this.#kind = kind;
    this.#sink = sink;
  }

  add(name: unknown, version: unknown, licenses: readonly string[] = []): void {
    const usable = typeof name === 'string' && typeof version === 'string';
    if (!usable || !isPackageName(name) || !isPackageVersion(version)) {
      this.#unusable++;
      return;
    }
    const key = `${name}\n${version}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const item = { kind: this.#kind, name, version };
    this.#sink.package(licenses.length === 0 ? item : { ...item, licenses });
  }

  /** Says how many entries were unusable, when any were. */
  finish(): void {
    if (this.#unusable > 0) this.#sink.problem(`${this.#unusable} entries have no usable name and version`);
  }
}
