// Which advisories a command uses: the file it was given, else the starter set.
import { type AdvisoryFile, openAdvisoryFile, starterAdvisories } from '../advisories/index.ts';

/** @throws ADVISORIES_FILE_UNREADABLE and its kin. */
export function openAdvisories(path: string | undefined): AdvisoryFile {
  return path === undefined ? starterAdvisories() : openAdvisoryFile(path);
}
