// Keeps the advisory files that matching still needs, by their digest: the one at the configured path may be replaced at any time.
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BreakwaterError } from '../../core/index.ts';
import {
  openAdvisories,
  openAdvisoryFile,
  starterAdvisories,
  type AdvisoryFile,
} from '../../advisories/index.ts';

const NAME = /^[0-9a-f]{64}\.advisories$/;

export class AdvisoryArchive {
  readonly #folder: string;
  /** Copies made so far: two at once must not share a name. */
  #copies = 0;
  readonly #path: string | undefined;

  /** `path` is the configured advisory file; without it the starter advisories are used, which need no copy. */
  constructor(dataDirectory: string, path: string | undefined) {
    this.#folder = join(dataDirectory, 'advisories');
    this.#path = path;
  }

  /** The advisories in use now. */
  openLatest(): AdvisoryFile {
    return openAdvisories(this.#path);
  }

  /** Changes when the file at the path may be another one. */
  async stamp(): Promise<string> {
    if (this.#path === undefined) return '';
    // Nothing is there before the first update.
    const file = await stat(this.#path).catch(() => undefined);
    return file === undefined ? '' : `${file.ino} ${file.size} ${file.mtimeMs}`;
  }

  /** Keeps a copy of the advisories in use now and returns their digest. */
  async keepLatest(): Promise<string> {
    const latest = this.openLatest();
    const { digest, kind } = latest.info;
    latest.close();
    if (this.#path === undefined || kind === 'starter' || this.#has(digest)) return digest;
    await mkdir(this.#folder, { recursive: true });
    const temporary = join(this.#folder, `copy.${process.pid}.${this.#copies++}.partial`);
    await copyFile(this.#path, temporary, constants.COPYFILE_FICLONE);
    // What was copied is kept under what it is: the file may have been replaced since it was opened.
    const copy = openAdvisoryFile(temporary);
    const copied = copy.info.digest;
    copy.close();
    await rename(temporary, this.#file(copied));
    return copied;
  }

  /** The advisories with this digest; undefined when there is no copy of them any more. */
  async open(digest: string): Promise<AdvisoryFile | undefined> {
    if (starterAdvisories().info.digest === digest) return starterAdvisories();
    const kept = this.#open(digest);
    if (kept !== undefined) return kept;
    const latest = this.openLatest();
    if (latest.info.digest === digest) return latest;
    latest.close();
    return undefined;
  }

  /** Removes every copy but these. */
  async keepOnly(digests: readonly string[]): Promise<void> {
    const kept = new Set(digests.map((digest) => this.#file(digest)));
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const file = join(this.#folder, name);
      if (NAME.test(name) && !kept.has(file)) await rm(file, { force: true });
    }
  }

  #has(digest: string): boolean {
    const file = this.#open(digest);
    file?.close();
    return file !== undefined;
  }

  #open(digest: string): AdvisoryFile | undefined {
    const file = this.#file(digest);
    try {
      const opened = openAdvisoryFile(file);
      if (opened.info.digest === digest) return opened;
      opened.close();
    } catch (error) {
      if (!(error instanceof BreakwaterError)) throw error;
    }
    return undefined;
  }

  #file(digest: string): string {
    return join(this.#folder, `${digest.replace(/^sha256:/, '').replaceAll(/[^0-9a-f]/g, '')}.advisories`);
  }
}
