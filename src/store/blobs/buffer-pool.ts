// Read buffers shared by all downloads, within one memory budget: the more of it is out, the smaller the next buffer.
import { KiB, MiB } from '../../core/index.ts';

/** Sizes handed out. The smallest is always granted, so that no download waits for another. */
const SMALLEST = 32 * KiB;
const SIZES = [SMALLEST, 64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB] as const;

/**
 * Hands out buffers of up to 512 KiB.
 *
 * One buffer takes at most an eighth of what is left of the budget. A few slow receivers can therefore never take
 * all of it: large buffers run out gradually, and the next downloads get smaller ones instead of waiting.
 */
export class BufferPool {
  readonly #budget: number;
  readonly #free = new Map<number, Buffer[]>(SIZES.map((size) => [size, []]));
  #freeBytes = 0;
  #taken = 0;

  /** @param budget Bytes out or kept for reuse before only the smallest size is handed out. */
  constructor(budget: number = 16 * MiB) {
    this.#budget = budget;
  }

  /** Bytes handed out and not yet given back. */
  get taken(): number {
    return this.#taken;
  }

  /** True when little is left, so that a download should make do with one buffer. */
  get scarce(): boolean {
    return (this.#budget - this.#taken) / 8 < SMALLEST;
  }

  /** A buffer fit for `wanted` bytes, or smaller when memory is short. Its content is old data. */
  acquire(wanted: number): Buffer {
    const share = (this.#budget - this.#taken) / 8;
    let chosen: number = SMALLEST;
    for (const size of SIZES) {
      if (size > share) break;
      chosen = size;
      if (size >= wanted) break;
    }
    this.#taken += chosen;
    const reused = this.#free.get(chosen)?.pop();
    if (reused === undefined) {
      this.#makeRoom();
      return Buffer.allocUnsafeSlow(chosen);
    }
    this.#freeBytes -= chosen;
    return reused;
  }

  /** Gives a buffer back for reuse. Only when nobody reads it any more. */
  release(buffer: Buffer): void {
    this.discard(buffer);
    if (this.#taken + this.#freeBytes + buffer.length > this.#budget) return;
    this.#free.get(buffer.length)?.push(buffer);
    this.#freeBytes += buffer.length;
  }

  /** Gives up a buffer that somebody may still read: it is counted back and never handed out again. */
  discard(buffer: Buffer): void {
    this.#taken -= buffer.length;
  }

  /** Drops buffers kept for reuse, of whatever size, until kept and taken ones fit the budget. */
  #makeRoom(): void {
    for (const [size, buffers] of this.#free) {
      while (this.#taken + this.#freeBytes > this.#budget && buffers.pop() !== undefined)
        this.#freeBytes -= size;
    }
  }
}
