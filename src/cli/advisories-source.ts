// Which advisories a command uses: the file it was given, else what `advisories update` has put in the cache, else the starter set.
import {
  type AdvisoryFile,
  cacheDirectory,
  currentAdvisories,
  openAdvisories as openInstalled,
} from '../advisories/index.ts';

/** @throws ADVISORIES_FILE_UNREADABLE and its kin. */
export function openAdvisories(
  path: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): AdvisoryFile {
  return openInstalled(path ?? currentAdvisories(cacheDirectory(environment)));
}
