// Reads parts of local files: bounded whole reads and streams of a byte range.
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { KiB } from '../../core/index.ts';

/** Chunk size of file streams: the inflater works best on large pieces. */
const CHUNK_BYTES = 512 * KiB;

/** Reads exactly `size` bytes at `position`, fewer when the file ends before. */
export async function readRange(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Streams `size` bytes at `position`; ends early when the file does. With `closeFile` the file is closed at the end. */
export function streamRange(
  file: FileHandle,
  range: { readonly position: number; readonly size: number },
  closeFile: boolean,
): Readable {
  let position = range.position;
  const end = range.position + range.size;
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      const wanted = Math.min(CHUNK_BYTES, end - position);
      if (wanted <= 0) {
        this.push(null);
        return;
      }
      file.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, position).then(
        ({ bytesRead, buffer }) => {
          position += bytesRead;
          this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead));
        },
        (error: unknown) => this.destroy(error instanceof Error ? error : new Error('read failed')),
      );
    },
    destroy(error, done) {
      if (!closeFile) {
        done(error);
        return;
      }
      const finish = (): void => done(error);
      file.close().then(finish, finish);
    },
  });
}
