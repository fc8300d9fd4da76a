// Segment files of one journal folder: creating, appending durably, listing, reading a run of frames.
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { MiB } from '../core/index.ts';
import { isMissing, syncFolder } from './folder-sync.ts';
import {
  findFrame,
  MAX_FRAME_BYTES,
  parseFrame,
  SEGMENT_HEADER,
  type JournalFrame,
} from './journal-frame.ts';

const NAME = /^(\d{12})\.journal$/;

/** Bytes read for one run of frames; a segment's rest is read whole only behind damaged bytes. */
const WINDOW_BYTES = 2 * MAX_FRAME_BYTES;

/** A segment is not read beyond this, whatever its size: it bounds memory when somebody put a foreign file there. */
const MAX_SEGMENT_BYTES = 64 * MiB;

export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(12, '0')}.journal`);
}

/** The segments of a folder, oldest first; none when there is no folder. */
export async function listSegments(directory: string): Promise<number[]> {
  try {
    return (await readdir(directory))
      .map((name) => NAME.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .toSorted((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export async function removeSegment(directory: string, segment: number): Promise<void> {
  try {
    await unlink(segmentPath(directory, segment));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** A segment being written. */
export class SegmentWriter {
  readonly number: number;
  readonly #handle: FileHandle;
  #durable = SEGMENT_HEADER.length;

  private constructor(number: number, handle: FileHandle) {
    this.number = number;
    this.#handle = handle;
  }

  /** Creates the file and makes its directory entry durable. */
  static async create(directory: string, number: number): Promise<SegmentWriter> {
    const handle = await open(segmentPath(directory, number), 'wx', 0o600);
    try {
      await writeAll(handle, [SEGMENT_HEADER], 0);
      await handle.sync();
      await syncFolder(directory);
      return new SegmentWriter(number, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes that are on the disk for certain. */
  get durable(): number {
    return this.#durable;
  }

  /** Writes frames and makes them durable with one fdatasync. After an error the segment must be abandoned. */
  async append(frames: readonly Buffer[]): Promise<void> {
    const end = await writeAll(this.#handle, frames, this.#durable);
    await this.#handle.datasync();
    this.#durable = end;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /**
   * Closes after a failed write. What may have been written of the failed batch is cut off where the disk allows;
   * where it does not, the sequence numbers keep those records from being imported twice.
   */
  async abandon(): Promise<void> {
    await this.#handle.truncate(this.#durable).catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
  }
}

async function writeAll(handle: FileHandle, frames: readonly Buffer[], start: number): Promise<number> {
  const bytes = frames.length === 1 ? (frames[0] ?? Buffer.alloc(0)) : Buffer.concat(frames);
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, start + written);
    written += bytesWritten;
  }
  return start + written;
}

/** Frames in order, and where reading goes on. */
export interface FrameRun {
  readonly frames: readonly JournalFrame[];
  /** Position behind each frame. */
  readonly ends: readonly number[];
  /** Set when damaged bytes stand at the position asked for: no whole frame before `resume`, none at all if `final`. */
  readonly damage: { readonly bytes: number; readonly resume: number; readonly final: boolean } | undefined;
}

/** Reads at most `most` frames from `position`; `end` is where the segment ends for this reader (its size if undefined). */
export async function readRun(
  path: string,
  position: number,
  end: number | undefined,
  most: number,
): Promise<FrameRun> {
  const handle = await open(path, 'r');
  try {
    const size = Math.min(end ?? (await handle.stat()).size, MAX_SEGMENT_BYTES);
    const start = Math.max(position, SEGMENT_HEADER.length);
    const bytes = await readRange(handle, start, Math.min(size - start, WINDOW_BYTES));
    const frames: JournalFrame[] = [];
    const ends: number[] = [];
    let at = 0;
    while (at < bytes.length && frames.length < most) {
      const parsed = parseFrame(bytes, at);
      if (parsed.status !== 'frame') break;
      frames.push(parsed.frame);
      ends.push(start + parsed.next);
      at = parsed.next;
    }
    // A window always holds a whole frame, so what does not parse at its start is damaged or torn.
    if (frames.length > 0 || bytes.length === 0) return { frames, ends, damage: undefined };
    const rest = await readRange(handle, start, size - start);
    const found = findFrame(rest, 1);
    const bytesPassed = found ?? rest.length;
    return {
      frames,
      ends,
      damage: { bytes: bytesPassed, resume: start + bytesPassed, final: found === undefined },
    };
  } finally {
    await handle.close();
  }
}

async function readRange(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, length));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
