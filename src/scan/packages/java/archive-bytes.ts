// Random access to the bytes of an archive: in memory, or in a temporary file where there are too many of them.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes that can be read at any position. */
export interface ArchiveBytes {
  readonly size: number;
  /** The bytes from `position` on, fewer than `length` at the end. Only valid until the archive is let go. */
  read(position: number, length: number): Buffer;
  /** A stretch of these bytes as an archive of its own, without a copy. */
  slice(position: number, length: number): ArchiveBytes;
}

export function memoryBytes(bytes: Buffer): ArchiveBytes {
  return {
    size: bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
    slice: (position, length) => memoryBytes(bytes.subarray(position, position + length)),
  };
}

function fileBytes(descriptor: number, start: number, size: number): ArchiveBytes {
  return {
    size,
    read(position, length) {
      const wanted = Math.max(0, Math.min(length, size - position));
      const bytes = Buffer.allocUnsafe(wanted);
      let filled = 0;
      while (filled < wanted) {
        const count = readSync(descriptor, bytes, filled, wanted - filled, start + position + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    },
    slice: (position, length) =>
      fileBytes(descriptor, start + position, Math.max(0, Math.min(length, size - position))),
  };
}

/** A temporary file that has no name any more once it is open, so that nothing of it outlives the process. */
export class SpillFile {
  readonly #descriptor: number;
  #size = 0;

  /** Throws the system's error when no file can be made. */
  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'breakwater-archive-'));
    try {
      this.#descriptor = openSync(join(directory, 'archive'), 'wx+', 0o600);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  append(bytes: Buffer): void {
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#size);
      written += count;
      this.#size += count;
    }
  }

  bytes(): ArchiveBytes {
    return fileBytes(this.#descriptor, 0, this.#size);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
