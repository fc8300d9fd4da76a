// Writes a backup file: to a temporary name, compressed as it comes, digested, fsynced, then renamed.
import { createHash } from 'node:crypto';
import { link, open, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { BreakwaterError, describeError, systemErrorCode } from '../core/index.ts';
import { END_MAGIC, FORMAT, MAGIC, type BackupHeader, type BackupIndex } from './backup-format.ts';
import { storeErrors } from './errors.ts';
import { isMissing, syncFolder } from './folder-sync.ts';

export interface Section {
  readonly offset: number;
  readonly length: number;
}

export class BackupFileWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #position = 0;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Rejects with STORE_BACKUP_EXISTS or STORE_BACKUP_WRITE. */
  static async create(out: string, suffix: string, header: BackupHeader): Promise<BackupFileWriter> {
    const path = resolve(out);
    const temporary = `${path}.${suffix}.partial`;
    return asBackupError(path, async () => {
      // Known now rather than after hours of writing.
      if (await exists(path)) throw storeErrors.create('STORE_BACKUP_EXISTS', { path });
      const writer = new BackupFileWriter(path, temporary, await open(temporary, 'wx+', 0o600));
      await writer.#writeHeader(header).catch((error: unknown) => writer.discard(error));
      return writer;
    });
  }

  /** The file being written, for reading back a section. */
  get handle(): FileHandle {
    return this.#handle;
  }

  /** Compresses and writes one section. */
  async section(source: AsyncIterable<Buffer>, level: number): Promise<Section> {
    const offset = this.#position;
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
    await pipeline(source, compress, async (compressed: AsyncIterable<Buffer>) => {
      for await (const chunk of compressed) await this.#write(chunk);
    });
    return { offset, length: this.#position - offset };
  }

  /** Writes the index and the digest, makes the file durable and gives it its name. Resolves to its size. */
  async finish(index: BackupIndex): Promise<number> {
    const text = Buffer.from(JSON.stringify(index), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    await this.#write(text);
    await this.#write(length);
    await this.#write(Buffer.concat([this.#hash.copy().digest(), END_MAGIC]));
    await this.#handle.sync();
    await this.#handle.close();
    await asBackupError(this.#path, async () => {
      await giveName(this.#temporary, this.#path);
      await syncFolder(dirname(this.#path));
    });
    return this.#position;
  }

  /** Removes the unfinished file and throws what went wrong, coded. */
  async discard(error: unknown): Promise<never> {
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#temporary).catch(() => undefined);
    throw codedError(this.#path, error);
  }

  async #writeHeader(header: BackupHeader): Promise<void> {
    const text = Buffer.from(JSON.stringify(header), 'utf8');
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(FORMAT, 0);
    numbers.writeUInt32BE(text.length, 4);
    await this.#write(Buffer.concat([MAGIC, numbers, text]));
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    for (let written = 0; written < bytes.length; ) {
      const result = await this.#handle.write(bytes, written, bytes.length - written, this.#position);
      written += result.bytesWritten;
      this.#position += result.bytesWritten;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** A link, unlike a rename, never replaces a file that came into being meanwhile; some file systems have none. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemErrorCode(error) ?? ''))
      throw error;
    return rename(temporary, path);
  }
  await unlink(temporary);
}

async function asBackupError<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw codedError(path, error);
  }
}

function codedError(path: string, error: unknown): BreakwaterError {
  if (error instanceof BreakwaterError) return error;
  if (systemErrorCode(error) === 'EEXIST') return storeErrors.create('STORE_BACKUP_EXISTS', { path }, error);
  return storeErrors.create('STORE_BACKUP_WRITE', { path, reason: describeError(error) }, error);
}
