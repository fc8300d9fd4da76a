// Searches an executable that streams by for the version of the programs it may be, in windows of bounded size.
import type { CatalogSink, ContentReader } from '../../cataloger.ts';
import { isPackageVersion } from '../coordinates.ts';
import { isExecutable, MAGIC_BYTES } from '../executable-magic.ts';
import type { ProgramPattern } from './table.ts';

/** What is looked at around a place: a version stands close to it. */
const BEFORE_BYTES = 96;
const AFTER_BYTES = 128;
/** Kept of each chunk, so that a window is never cut: longer than the longest `near` and both sides. */
const OVERLAP_BYTES = 512;
/** Places tried in one file for one pattern. */
const MAX_PLACES = 20_000;

/** Tells the sink each program once. Content that is no executable is left after its first bytes. */
export class ProgramSearch implements ContentReader {
  readonly #sink: CatalogSink;
  #left: { readonly pattern: ProgramPattern; places: number }[];
  #overlap: Buffer = Buffer.alloc(0);
  #checked = false;

  constructor(patterns: readonly ProgramPattern[], sink: CatalogSink) {
    this.#sink = sink;
    this.#left = patterns.map((pattern) => ({ pattern, places: 0 }));
  }

  chunk(bytes: Buffer): boolean {
    const data = Buffer.concat([this.#overlap, bytes]);
    if (!this.#checked && data.length >= MAGIC_BYTES) {
      this.#checked = true;
      if (!isExecutable(data)) this.#left = [];
    }
    if (this.#checked) this.#search(data, data.length - AFTER_BYTES);
    this.#overlap = data.subarray(Math.max(0, data.length - OVERLAP_BYTES));
    return this.#left.length > 0;
  }

  end(): void {
    if (this.#checked) this.#search(this.#overlap, this.#overlap.length);
  }

  /** Places whose window ends behind the data wait for the next chunk. */
  #search(data: Buffer, end: number): void {
    this.#left = this.#left.filter((wanted) => {
      const { near, version, before } = wanted.pattern;
      for (let at = data.indexOf(near); at >= 0 && at + near.length <= end; at = data.indexOf(near, at + 1)) {
        if (++wanted.places > MAX_PLACES) return false;
        const from = Math.max(0, at - BEFORE_BYTES);
        const found = version.exec(data.toString('latin1', from, at + near.length + AFTER_BYTES))?.[1];
        const text = found === undefined ? undefined : `${before}${found}`;
        if (!isPackageVersion(text)) continue;
        this.#sink.package({ kind: 'program', name: wanted.pattern.name, version: text });
        return false;
      }
      return true;
    });
  }
}
