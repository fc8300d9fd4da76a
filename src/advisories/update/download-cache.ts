// Downloaded feeds on disk: contents named by their hash, one small JSON beside them per feed, downloads under way.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const entrySchema = z.object({
  url: z.string(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().min(0),
  extension: z.string().regex(/^(?:\.[a-z0-9]{1,8}){1,2}$/),
  /** When the publisher last said that this is the newest, in milliseconds since the epoch. */
  checkedAt: z.number(),
});
export type CachedFeed = z.infer<typeof entrySchema>;

const partialSchema = z.object({ url: z.string(), validator: z.string() });

/** A download that broke off, and what must be true of the rest for it to fit. */
export interface PartialDownload {
  readonly url: string;
  /** Strong entity tag or modification date, for `If-Range`. */
  readonly validator: string;
  readonly bytes: number;
}

/** Keeps feeds in one directory. Several processes may use it: what is moved into place is whole. */
export class DownloadCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The stored copy of a feed, when it is still the bytes that were stored. */
  async get(id: string): Promise<(CachedFeed & { readonly path: string }) | undefined> {
    const entry = entrySchema.safeParse(await readJson(this.#file(`${id}.json`)));
    if (!entry.success) return undefined;
    const path = this.#content(entry.data);
    const bytes = await sizeOf(path);
    if (bytes !== entry.data.bytes || (await hashOf(path)) !== entry.data.sha256) return undefined;
    return { ...entry.data, path };
  }

  /** Takes a complete download in; the content of the feed before it is removed. Returns where it is now. */
  async put(id: string, download: string, entry: Omit<CachedFeed, 'sha256' | 'bytes'>): Promise<string> {
    const before = entrySchema.safeParse(await readJson(this.#file(`${id}.json`)));
    const stored = { ...entry, sha256: await hashOf(download), bytes: (await sizeOf(download)) ?? 0 };
    const path = this.#content(stored);
    await mkdir(join(this.#directory, 'content'), { recursive: true });
    await rename(download, path);
    await this.#write(id, stored);
    if (before.success && this.#content(before.data) !== path && !(await this.#isUsed(before.data, id)))
      await rm(this.#content(before.data), { force: true });
    return path;
  }

  /** Notes that the stored copy is still the newest. */
  async confirm(id: string, entry: CachedFeed, checkedAt: number): Promise<void> {
    await this.#write(id, { ...entrySchema.parse(entry), checkedAt });
  }

  /** The file that a download of this feed is written to. */
  async partialFile(id: string): Promise<string> {
    await mkdir(join(this.#directory, 'partial'), { recursive: true });
    return this.#file('partial', `${id}.part`);
  }

  async partial(id: string): Promise<PartialDownload | undefined> {
    const note = partialSchema.safeParse(await readJson(this.#file('partial', `${id}.json`)));
    const bytes = await sizeOf(this.#file('partial', `${id}.part`));
    return note.success && bytes !== undefined && bytes > 0 ? { ...note.data, bytes } : undefined;
  }

  /** Remembers what a download that now starts can be resumed with; null when it cannot. */
  async startPartial(id: string, url: string, validator: string | null): Promise<void> {
    const path = this.#file('partial', `${id}.json`);
    if (validator === null) await rm(path, { force: true });
    else await writeFile(path, JSON.stringify({ url, validator }));
  }

  async dropPartial(id: string): Promise<void> {
    await rm(this.#file('partial', `${id}.part`), { force: true });
    await rm(this.#file('partial', `${id}.json`), { force: true });
  }

  async #write(id: string, entry: CachedFeed): Promise<void> {
    const temporary = this.#file(`${id}.json.${process.pid}`);
    await writeFile(temporary, JSON.stringify(entry));
    await rename(temporary, this.#file(`${id}.json`));
  }

  /** Two feeds of equal content share one file. */
  async #isUsed({ sha256 }: CachedFeed, except: string): Promise<boolean> {
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith('.json') || name === `${except}.json`) continue;
      const entry = entrySchema.safeParse(await readJson(this.#file(name)));
      if (entry.success && entry.data.sha256 === sha256) return true;
    }
    return false;
  }

  #content({ sha256, extension }: Pick<CachedFeed, 'sha256' | 'extension'>): string {
    return this.#file('content', `${sha256}${extension}`);
  }

  #file(...names: readonly string[]): string {
    return join(this.#directory, ...names);
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return value;
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
