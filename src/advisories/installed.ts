// Opens the advisories in use: a named file, the one that `advisories update` keeps, or the starter set.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { openAdvisoryFile } from './file/read.ts';
import { starterAdvisories } from './starter.ts';
import type { AdvisoryFile } from './types.ts';
import { CURRENT_FILE } from './update/locations.ts';

/**
 * Opens the file at `path`. Without a path, or when it is the place of `advisories update` and nothing has been put there
 * yet, these are the starter advisories. Throws what `openAdvisoryFile` throws.
 */
export function openAdvisories(path: string | undefined): AdvisoryFile {
  if (path === undefined || (basename(path) === CURRENT_FILE && !existsSync(path)))
    return starterAdvisories();
  return openAdvisoryFile(path);
}
