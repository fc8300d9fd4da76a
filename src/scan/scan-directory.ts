// Scans a directory (a root file system or a project folder) as if it were one layer. Links are never followed.
import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, readlink, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, KiB, systemErrorCode, type Clock } from '../core/index.ts';
import type { EntryInterest, LayerEntry } from '../oci/index.ts';
import type { AdvisoryFile } from '../advisories/index.ts';
import { catalogerVersions, type ScanScope } from './catalogers.ts';
import { scanErrors } from './errors.ts';
import { LayerCatalog } from './layer.ts';
import { withoutInstalledTwice } from './locked-packages.ts';
import { OS_RELEASE_PATHS } from './packages/os-release.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { contentsReport } from './report.ts';
import type { ScanReport } from './types.ts';

export interface DirectoryScanOptions {
  readonly advisories: AdvisoryFile;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Look for secrets too; default false. */
  readonly secrets?: boolean;
}

/** Folders the kernel fills: never part of what is installed, when another file system is mounted there. */
const KERNEL_FOLDERS = new Set(['proc', 'sys', 'dev', 'run']);
const MAX_DEPTH = 256;
const CHUNK_BYTES = 256 * KiB;

/**
 * Scans everything below `directory`, lock files included unless it is a root file system, without following symbolic
 * links and without leaving it. What cannot be opened is a problem of the report. Rejects with SCAN_TARGET_UNREADABLE
 * when the directory itself cannot be read.
 */
export async function scanDirectory(directory: string, options: DirectoryScanOptions): Promise<ScanReport> {
  const target = `dir:${directory}`;
  const root = await rootStats(directory, target);
  const scope = (await isRootFileSystem(directory)) ? 'image' : 'directory';
  const walk = new Walk(directory, root.dev, scope, options);
  await walk.folder('', 0);
  const { catalog } = walk;
  const found = catalog.contents();
  const packages = withoutInstalledTwice(found.packages);
  const contents = { ...found, packages, size: 0, uncompressedSize: 0 };
  const result = { catalogers: catalogerVersions, diffId: null, complete: true, ...contents };
  return contentsReport(target, [result], [], options);
}

async function rootStats(directory: string, target: string): Promise<Stats> {
  try {
    // The root itself may be a link: the user named it.
    const stats = await stat(directory);
    if (stats.isDirectory()) return stats;
  } catch (error) {
    throw scanErrors.create('SCAN_TARGET_UNREADABLE', { target, reason: describeError(error) }, error);
  }
  throw scanErrors.create('SCAN_TARGET_UNREADABLE', { target, reason: 'not a directory' });
}

/** A root file system is read as the image it was, so that both give the same result; all else is a project folder. */
async function isRootFileSystem(directory: string): Promise<boolean> {
  for (const path of OS_RELEASE_PATHS) {
    const found = await lstat(join(directory, path)).catch(() => undefined);
    if (found !== undefined) return true;
  }
  return false;
}

class Walk {
  readonly catalog: LayerCatalog;
  readonly #root: string;
  readonly #device: number;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(root: string, device: number, scope: ScanScope, options: DirectoryScanOptions) {
    this.catalog = new LayerCatalog(scope, options.secrets ?? false);
    this.#root = root;
    this.#device = device;
    this.#signal = options.signal;
  }

  async folder(path: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) {
      this.#unreadable(path, `folders nested more than ${MAX_DEPTH} deep`);
      return;
    }
    try {
      for await (const found of await opendir(join(this.#root, path))) {
        this.#signal?.throwIfAborted();
        await this.#visit(path === '' ? found.name : `${path}/${found.name}`, depth);
      }
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      this.#unreadable(path, describeError(error));
    }
  }

  async #visit(path: string, depth: number): Promise<void> {
    const full = join(this.#root, path);
    try {
      const stats = await lstat(full);
      if (stats.isDirectory()) {
        if (depth === 0 && KERNEL_FOLDERS.has(path) && stats.dev !== this.#device) return;
        await this.folder(path, depth + 1);
        return;
      }
      const linkName = stats.isSymbolicLink() ? await readlink(full) : null;
      const interest = this.catalog.entry(entryOf(path, stats, linkName));
      if (interest.want !== 'nothing') await this.#read(full, stats.size, interest);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      this.#unreadable(path, describeError(error));
    }
  }

  async #read(
    full: string,
    size: number,
    interest: Exclude<EntryInterest, { want: 'nothing' }>,
  ): Promise<void> {
    if (interest.want === 'bytes' && size > interest.limit) {
      interest.onTooLarge();
      return;
    }
    const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (interest.want === 'bytes') await this.#readWhole(file, size, interest);
      else await this.#readStream(file, interest);
    } finally {
      await file.close();
    }
  }

  async #readWhole(
    file: FileHandle,
    size: number,
    interest: Extract<EntryInterest, { want: 'bytes' }>,
  ): Promise<void> {
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(bytes, filled, size - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    interest.onBytes(bytes.subarray(0, filled));
  }

  async #readStream(file: FileHandle, interest: Extract<EntryInterest, { want: 'stream' }>): Promise<void> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const { bytesRead } = await file.read(this.#buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) break;
      if (!interest.onChunk(this.#buffer.subarray(0, bytesRead))) return;
    }
    interest.onEnd();
  }

  #unreadable(path: string, reason: string): void {
    this.catalog.problem(PROBLEM_CODES.unopened, `could not read: ${reason}`, path === '' ? null : path);
  }
}

/** Each name of a hard-linked file is read for itself, so a link count does not matter here. */
function entryOf(path: string, stats: Stats, linkName: string | null): LayerEntry {
  const type = stats.isFile() ? 'file' : linkName === null ? 'other' : 'symlink';
  return { path, type, target: null, linkName, size: stats.isFile() ? stats.size : 0, mode: stats.mode };
}
