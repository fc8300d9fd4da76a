// Where the content of an entry goes while it streams by.
import type { EntryInterest } from '../types.ts';

/** Takes exactly the bytes of one entry, in order, then `finish`. */
export interface ContentSink {
  /** The bytes are only valid during the call. */
  take(chunk: Buffer, start: number, end: number): void;
  finish(): void;
}

/** Gathers `size` bytes, which the caller has checked against a limit, in one buffer of its own. */
export class BytesSink implements ContentSink {
  readonly #bytes: Buffer;
  readonly #done: (bytes: Buffer) => void;
  #filled = 0;

  constructor(size: number, done: (bytes: Buffer) => void) {
    this.#bytes = Buffer.allocUnsafe(size);
    this.#done = done;
  }

  take(chunk: Buffer, start: number, end: number): void {
    this.#filled += chunk.copy(this.#bytes, this.#filled, start, end);
  }

  finish(): void {
    this.#done(this.#bytes);
  }
}

class PieceSink implements ContentSink {
  readonly #interest: EntryInterest & { want: 'stream' };
  #wanted = true;

  constructor(interest: EntryInterest & { want: 'stream' }) {
    this.#interest = interest;
  }

  take(chunk: Buffer, start: number, end: number): void {
    if (this.#wanted) this.#wanted = this.#interest.onChunk(chunk.subarray(start, end));
  }

  finish(): void {
    this.#interest.onEnd();
  }
}

/** The sink for what a visitor wants of a file of `size` bytes; null when it wants nothing of it. */
export function sinkFor(interest: EntryInterest, size: number): ContentSink | null {
  switch (interest.want) {
    case 'nothing':
      return null;
    case 'bytes':
      if (size <= interest.limit) return new BytesSink(size, (bytes) => interest.onBytes(bytes));
      interest.onTooLarge();
      return null;
    case 'stream':
      return new PieceSink(interest);
  }
}
