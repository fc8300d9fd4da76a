// Puts a whole advisory file in its place by renaming: readers see the old one or the new one.
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError } from '../../core/index.ts';
import { advisoryErrors } from '../errors.ts';

/** Moves nothing: `file` is copied beside each place, flushed and renamed. Throws ADVISORIES_BUILD_FAILED. */
export async function installFile(file: string, places: readonly string[]): Promise<void> {
  for (const place of places) {
    const temporary = `${place}.${process.pid}.partial`;
    try {
      await mkdir(dirname(place), { recursive: true });
      await copyFile(file, temporary);
      const copy = await open(temporary, 'r+');
      try {
        await copy.sync();
      } finally {
        await copy.close();
      }
      await rename(temporary, place);
    } catch (error) {
      await rm(temporary, { force: true });
      const reason = describeError(error);
      throw advisoryErrors.create('ADVISORIES_BUILD_FAILED', { path: place, reason }, error);
    }
  }
}
