// Bounds the reading of a paged database: every page is followed once, and no more bytes are taken than the file has.

/** Marks used pages and counts taken bytes, so that loops and overlaps in damaged files end. */
export class PageBudget {
  readonly #used: Uint8Array;
  #bytes: number;

  /** @param pages pages of the file, numbered from 0. */
  constructor(pages: number, bytes: number) {
    this.#used = new Uint8Array(pages);
    this.#bytes = bytes;
  }

  /** May this page be read? Only once, and only when the file has it. */
  use(page: number): boolean {
    if (this.#used[page] !== 0) return false;
    this.#used[page] = 1;
    return true;
  }

  /** May this many more bytes be taken? */
  take(bytes: number): boolean {
    if (bytes < 0 || bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }
}
