// Where advisory data lives when nobody says otherwise.
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Name of the file that `advisories update` keeps current; it is replaced by renaming, never written in place. */
export const CURRENT_FILE = 'current.bwadv';

/** The current advisory file below a data or cache directory. */
export function currentAdvisories(base: string): string {
  return join(base, 'advisories', CURRENT_FILE);
}

/** Breakwater's cache directory of this user: `$XDG_CACHE_HOME/breakwater`. */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'breakwater');
}
