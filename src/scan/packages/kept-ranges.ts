// Chosen ranges of a file that streams by, kept in memory: what comes later says which of the bytes were needed.

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Keeps copies of ranges; memory is their total size, which the caller bounds. */
export class KeptRanges {
  readonly #ranges: readonly { readonly start: number; readonly bytes: Buffer }[];
  readonly #end: number;
  #position = 0;

  /** Ranges in any order; overlapping and touching ones are joined. */
  constructor(ranges: readonly ByteRange[]) {
    const joined: { start: number; end: number }[] = [];
    for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
      const last = joined.at(-1);
      if (end <= start) continue;
      if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
      else joined.push({ start, end });
    }
    this.#ranges = joined.map(({ start, end }) => ({ start, bytes: Buffer.allocUnsafe(end - start) }));
    this.#end = joined.at(-1)?.end ?? 0;
  }

  /** Takes the next bytes of the file; false when they lie beyond all that is wanted. */
  take(chunk: Buffer): boolean {
    const start = this.#position;
    this.#position += chunk.length;
    for (const range of this.#ranges) {
      const from = Math.max(start, range.start);
      const to = Math.min(this.#position, range.start + range.bytes.length);
      if (from < to) chunk.copy(range.bytes, from - range.start, from - start, to - start);
    }
    return this.#position <= this.#end;
  }

  /** The bytes from `start` on, when all of them were kept and have come by. */
  slice(start: number, size: number): Buffer | undefined {
    if (start + size > this.#position) return undefined;
    for (const range of this.#ranges) {
      const at = start - range.start;
      if (at >= 0 && at + size <= range.bytes.length) return range.bytes.subarray(at, at + size);
    }
    return undefined;
  }
}
