// Checks of the advisories: is there a file, can it be read, how old is it.
import { advisoryStatus } from '../../advisories/index.ts';
import { BreakwaterError, describeError, systemClock } from '../../core/index.ts';
import { openAdvisories } from '../advisories-source.ts';
import { age } from '../formats/wording.ts';
import { type CheckContext, type CheckResult, fail, ok, warn } from './check.ts';

const OLD_HOURS = 7 * 24;
const BUILD = 'breakwater advisories build DIRECTORY-OF-OSV-DATA --out advisories.bwadv';

export function checkAdvisories({ advisoriesPath }: CheckContext): CheckResult {
  const name = 'advisories';
  try {
    const file = openAdvisories(advisoriesPath);
    try {
      const { kind, advisories, ageHours, tooOld } = advisoryStatus(file, systemClock, OLD_HOURS);
      if (kind === 'starter') {
        return warn(
          name,
          `only the ${advisories} starter entries: a clean result means little`,
          `${BUILD}, then --advisories advisories.bwadv`,
        );
      }
      const text = `${advisories} entries, ${age(ageHours)} old`;
      return tooOld ? warn(name, text, `Get newer data and run: ${BUILD}`) : ok(name, text);
    } finally {
      file.close();
    }
  } catch (error) {
    return fail(name, describeError(error), error instanceof BreakwaterError ? error.hint : BUILD);
  }
}
