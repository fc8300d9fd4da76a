// Blob driver on a local or shared file system: one file per object, in a fan-out of 256 folders.
import { constants } from 'node:fs';
import { open, opendir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { KiB, type Randomness } from '../../core/index.ts';
import { storeErrors } from '../errors.ts';
import { createFolder, isMissing, syncFolder } from '../folder-sync.ts';
import type { BlobDriver, BlobWriter, ByteRange } from '../types.ts';
import { BufferPool } from './buffer-pool.ts';
import { FilesystemBlobWriter } from './filesystem-writer.ts';
import { isObjectId, newObjectId } from './object-id.ts';
import { blobError } from './system-errors.ts';
import { transfer } from './transfer.ts';

export interface FilesystemBlobOptions {
  /** Holds the objects; created with mode 0700 when missing. */
  readonly directory: string;
  readonly randomness: Randomness;
  /** Bytes of read buffers that all downloads together may hold; 32 MiB unless given. */
  readonly bufferBudget?: number;
}

/**
 * Objects as files `<directory>/<first two digits>/<id>`, mode 0600. Nothing is renamed: whether an object is
 * finished is known to the database alone, so a crash leaves at worst a file that nothing refers to.
 */
export function createFilesystemBlobDriver(options: FilesystemBlobOptions): BlobDriver {
  return new FilesystemBlobDriver(options);
}

class FilesystemBlobDriver implements BlobDriver {
  readonly kind = 'filesystem';
  readonly #directory: string;
  readonly #randomness: Randomness;
  readonly #pool: BufferPool;
  readonly #folders = new Set<string>();

  constructor(options: FilesystemBlobOptions) {
    this.#directory = options.directory;
    this.#randomness = options.randomness;
    this.#pool = new BufferPool(options.bufferBudget);
  }

  async create(id: string = newObjectId(this.#randomness)): Promise<BlobWriter> {
    if (!isObjectId(id)) throw storeErrors.create('STORE_BLOB_UNKNOWN', { id });
    try {
      await this.#prepareFolder(id);
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
      return this.#writer(id, await open(this.#path(id), flags, 0o600), 0);
    } catch (error) {
      throw blobError(id, error);
    }
  }

  async resume(id: string, size: number): Promise<BlobWriter> {
    const handle = await this.#open(id, 'r+');
    try {
      const { size: actual } = await handle.stat();
      if (actual < size) throw storeErrors.create('STORE_BLOB_SHORT', { id, actual, expected: size });
      if (actual > size) await handle.truncate(size);
      return this.#writer(id, handle, size);
    } catch (error) {
      await handle.close();
      throw blobError(id, error);
    }
  }

  async read(id: string, range?: ByteRange): Promise<Readable> {
    const handle = await this.#open(id, 'r');
    try {
      const { size } = await handle.stat();
      const { start, end } = range ?? { start: 0, end: size - 1 };
      if (end >= size) throw storeErrors.create('STORE_BLOB_SHORT', { id, actual: size, expected: end + 1 });
      if (end >= start) return handle.createReadStream({ start, end, highWaterMark: 256 * KiB });
      await handle.close();
      return Readable.from([]);
    } catch (error) {
      await handle.close();
      throw blobError(id, error);
    }
  }

  async send(id: string, range: ByteRange, destination: Writable): Promise<void> {
    const handle = await this.#open(id, 'r');
    try {
      await transfer(id, handle, range, destination, this.#pool);
    } catch (error) {
      throw blobError(id, error);
    } finally {
      // Not awaited: the caller's `end()` should leave together with the last bytes.
      handle.close().catch(() => undefined);
    }
  }

  async size(id: string): Promise<number | undefined> {
    if (!isObjectId(id)) return undefined;
    try {
      return (await stat(this.#path(id))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw blobError(id, error);
    }
  }

  async remove(id: string): Promise<void> {
    if (!isObjectId(id)) return;
    try {
      await unlink(this.#path(id));
    } catch (error) {
      if (!isMissing(error)) throw blobError(id, error);
    }
  }

  async *list(): AsyncIterable<{ readonly id: string; readonly size: number; readonly modifiedAt: number }> {
    for (let number = 0; number < 256; number++) {
      const folder = number.toString(16).padStart(2, '0');
      for await (const id of this.#idsIn(folder)) {
        const found = await stat(this.#path(id)).catch((error: unknown) => {
          if (isMissing(error)) return undefined;
          throw blobError(id, error);
        });
        if (found?.isFile() === true) yield { id, size: found.size, modifiedAt: Math.floor(found.mtimeMs) };
      }
    }
  }

  async *#idsIn(folder: string): AsyncIterable<string> {
    try {
      for await (const entry of await opendir(join(this.#directory, folder))) {
        if (isObjectId(entry.name) && entry.name.startsWith(folder)) yield entry.name;
      }
    } catch (error) {
      if (!isMissing(error)) throw blobError(folder, error);
    }
  }

  async #open(id: string, flags: 'r' | 'r+'): Promise<FileHandle> {
    if (!isObjectId(id)) throw storeErrors.create('STORE_BLOB_UNKNOWN', { id });
    try {
      return await open(this.#path(id), flags);
    } catch (error) {
      throw blobError(id, error);
    }
  }

  #path(id: string): string {
    return join(this.#directory, id.slice(0, 2), id);
  }

  async #prepareFolder(id: string): Promise<void> {
    const folder = id.slice(0, 2);
    if (this.#folders.has(folder)) return;
    await createFolder(join(this.#directory, folder));
    // Also when it was there: another process may have made it a moment ago and not have synced it yet.
    await syncFolder(this.#directory);
    this.#folders.add(folder);
  }

  #writer(id: string, handle: FileHandle, size: number): BlobWriter {
    return new FilesystemBlobWriter({
      id,
      handle,
      size,
      syncFolder: () => syncFolder(join(this.#directory, id.slice(0, 2))),
      remove: () => this.remove(id),
    });
  }
}
