// Where layer results are kept: in memory, in files for the command line, or behind the bytes of another process.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MiB } from '../core/index.ts';
import { decodeLayerResult, encodeLayerResult } from './layer-encoding.ts';
import type { LayerCache, LayerResult } from './types.ts';

/** Encoded results by blob digest, for callers that must not decode them (design.md decision 2b). */
export interface LayerBytes {
  get(blobDigest: string): Promise<Uint8Array | undefined>;
  put(blobDigest: string, bytes: Uint8Array): Promise<void>;
}

/** A cache of encoded results. What cannot be decoded is as good as absent, and is written anew. */
export function encodedLayerCache(bytes: LayerBytes): LayerCache {
  return {
    async get(blobDigest) {
      const found = await bytes.get(blobDigest);
      return found === undefined ? undefined : decodeLayerResult(found);
    },
    put: (blobDigest, result) => bytes.put(blobDigest, encodeLayerResult(result)),
  };
}

/** Remembers results for the life of the process only. */
export function memoryLayerCache(): LayerCache {
  const results = new Map<string, LayerResult>();
  return {
    get: (blobDigest) => Promise.resolve(results.get(blobDigest)),
    put: (blobDigest, result) => {
      results.set(blobDigest, result);
      return Promise.resolve();
    },
  };
}

const DEFAULT_LIMIT_BYTES = 512 * MiB;
/** A digest as a file name: what is not one is never kept, so that no key can name a path. */
const KEY = /^(sha256|sha512):([0-9a-f]{64}|[0-9a-f]{128})$/;

/**
 * Keeps results as files of one directory, made if it is missing, readable by this user only. Entries appear whole
 * (written aside, then renamed); a damaged one is ignored and rewritten; above `limitBytes` those unused the longest
 * go. A directory that cannot be used makes scans slower, not impossible.
 */
export function fileLayerCache(directory: string, limitBytes: number = DEFAULT_LIMIT_BYTES): LayerCache {
  return encodedLayerCache({
    async get(blobDigest) {
      const file = fileOf(directory, blobDigest);
      if (file === undefined) return undefined;
      try {
        const bytes = await readFile(file);
        await touch(file);
        return bytes;
      } catch {
        return undefined;
      }
    },
    async put(blobDigest, bytes) {
      const file = fileOf(directory, blobDigest);
      if (file === undefined || bytes.length > limitBytes) return;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const aside = join(directory, `.${randomBytes(8).toString('hex')}.part`);
        await writeFile(aside, bytes, { mode: 0o600, flag: 'wx' });
        await rename(aside, file).catch(async (error: unknown) => {
          await rm(aside, { force: true });
          throw error;
        });
        await prune(directory, limitBytes);
      } catch {
        // A full or read-only disk: the result is simply not remembered.
      }
    },
  });
}

function fileOf(directory: string, blobDigest: string): string | undefined {
  return KEY.test(blobDigest) ? join(directory, `${blobDigest.replace(':', '-')}.zst`) : undefined;
}

/** Marks an entry as used now; pruning goes by this time. */
async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}

const STALE_PART_MS = 60 * 60 * 1000;

async function prune(directory: string, limitBytes: number): Promise<void> {
  const entries: { readonly file: string; readonly size: number; readonly usedAt: number }[] = [];
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.zst') && !name.endsWith('.part')) continue;
    const file = join(directory, name);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) continue;
    if (name.endsWith('.zst')) entries.push({ file, size: found.size, usedAt: found.mtimeMs });
    else if (Date.now() - found.mtimeMs > STALE_PART_MS) await rm(file, { force: true });
  }
  let total = entries.reduce((sum, entry) => sum + entry.size, 0);
  for (const entry of entries.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (total <= limitBytes) return;
    await rm(entry.file, { force: true });
    total -= entry.size;
  }
}
