// Checks of the server's advisories: is there a file, can it be read, how old is it.
import { advisoryStatus, currentAdvisories, openAdvisories } from '../../advisories/index.ts';
import { BreakwaterError, describeError, systemClock } from '../../core/index.ts';
import { age } from '../formats/wording.ts';
import { type CheckContext, type CheckResult, fail, ok, warn } from './check.ts';

const OLD_HOURS = 7 * 24;

export function checkAdvisories({ advisoriesPath, dataDirectory }: CheckContext): CheckResult {
  const name = 'advisories';
  const update = `breakwater advisories update --data ${dataDirectory}`;
  try {
    const file = openAdvisories(advisoriesPath ?? currentAdvisories(dataDirectory));
    try {
      const { kind, advisories, ageHours, tooOld } = advisoryStatus(file, systemClock, OLD_HOURS);
      if (kind === 'starter') {
        return warn(name, `only the ${advisories} starter entries: a clean result means little`, update);
      }
      const text = `${advisories} entries, ${age(ageHours)} old`;
      return tooOld ? warn(name, text, update) : ok(name, text);
    } finally {
      file.close();
    }
  } catch (error) {
    return fail(name, describeError(error), error instanceof BreakwaterError ? error.hint : update);
  }
}
