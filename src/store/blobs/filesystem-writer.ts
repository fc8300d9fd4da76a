// Writes one object of the filesystem driver: gathers chunks, writes them together, makes them durable.
import type { FileHandle } from 'node:fs/promises';
import { MiB } from '../../core/index.ts';
import { storeErrors } from '../errors.ts';
import type { BlobWriter } from '../types.ts';
import { blobError } from './system-errors.ts';

/** Bytes gathered before one `writev`. At most twice as much is held: one batch filling, one being written. */
const BATCH_BYTES = MiB;

/** `writev` takes at most IOV_MAX (1024) pieces. */
const BATCH_CHUNKS = 1_000;

export interface FilesystemWriterOptions {
  readonly id: string;
  readonly handle: FileHandle;
  /** Where writing goes on. */
  readonly size: number;
  /** Makes the directory entry durable. */
  readonly syncFolder: () => Promise<void>;
  /** Removes the file. */
  readonly remove: () => Promise<void>;
}

/**
 * The writer keeps the chunks it is given until they are written: the caller must not change them.
 * After an error (STORE_BLOB_NO_SPACE, STORE_BLOB_IO) every later call rejects with the same error, because a failed
 * fsync must not be tried again (the kernel drops the pages). `suspend` still works, and `resume` with the size last
 * made durable goes on from there.
 */
export class FilesystemBlobWriter implements BlobWriter {
  readonly id: string;
  readonly #handle: FileHandle;
  readonly #syncFolder: () => Promise<void>;
  readonly #remove: () => Promise<void>;
  #size: number;
  #position: number;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #folderDurable = false;
  #closed = false;

  constructor(options: FilesystemWriterOptions) {
    this.id = options.id;
    this.#handle = options.handle;
    this.#syncFolder = options.syncFolder;
    this.#remove = options.remove;
    this.#size = options.size;
    this.#position = options.size;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#check();
    if (chunk.length === 0) return;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    this.#size += chunk.length;
    if (this.#batchBytes < BATCH_BYTES && this.#batch.length < BATCH_CHUNKS) return;
    if (this.#writing !== undefined) await this.#writing;
    this.#check();
    this.#startWriting();
  }

  async sync(): Promise<void> {
    await this.#flush();
    await this.#guard(() => this.#handle.datasync());
    await this.#makeFolderDurable();
  }

  async finish(): Promise<void> {
    await this.#flush();
    await this.#guard(() => this.#handle.sync());
    await this.#makeFolderDurable();
    await this.#close();
  }

  async suspend(): Promise<void> {
    if (this.#closed) return;
    if (this.#failure === undefined) {
      // What cannot be written now is not lost: the caller knows what was made durable and goes on from there.
      await this.#flush().catch(() => undefined);
    }
    await this.#close();
  }

  async abort(): Promise<void> {
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#close();
    await this.#remove();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw storeErrors.create('STORE_BLOB_WRITER_CLOSED', { id: this.id });
  }

  /** Starts writing the batch; a failure is kept and thrown by the next call. */
  #startWriting(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#writing = this.#writeAll(batch)
      .catch((error: unknown) => {
        this.#failure ??= blobError(this.id, error);
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** `writev` may write less than it was given, so what is left is written again. */
  async #writeAll(batch: Buffer[]): Promise<void> {
    let left = batch;
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, this.#position);
      this.#position += bytesWritten;
      left = withoutFirst(left, bytesWritten);
    }
  }

  async #flush(): Promise<void> {
    this.#check();
    while (this.#writing !== undefined || this.#batch.length > 0) {
      if (this.#writing === undefined) this.#startWriting();
      await this.#writing;
      this.#check();
    }
  }

  async #makeFolderDurable(): Promise<void> {
    if (this.#folderDurable) return;
    await this.#guard(this.#syncFolder);
    this.#folderDurable = true;
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#failure ??= blobError(this.id, error);
      throw this.#failure;
    }
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#writing !== undefined) await this.#writing;
    try {
      await this.#handle.close();
    } catch (error) {
      this.#failure ??= blobError(this.id, error);
    }
  }
}

function withoutFirst(chunks: readonly Buffer[], bytes: number): Buffer[] {
  let skipped = bytes;
  const left: Buffer[] = [];
  for (const chunk of chunks) {
    if (skipped >= chunk.length) {
      skipped -= chunk.length;
    } else {
      left.push(skipped === 0 ? chunk : chunk.subarray(skipped));
      skipped = 0;
    }
  }
  return left;
}
