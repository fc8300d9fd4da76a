// Fixes that only subscribers get (Ubuntu Pro, SUSE LTSS): they count where there is no fix for all, and say what they need.
import { subscriptionOf } from '../advisories/index.ts';
import type { Statement } from './flaws.ts';
import type { Finding } from './types.ts';

const NOTE = ' (the fix needs ';

/** Advisories that do not hold for the installed version. */
export interface Repaired {
  readonly forAll: ReadonlySet<string>;
  readonly forSubscribers: ReadonlySet<string>;
}

/**
 * Weighs the statements about one package, by advisory. What is said to all goes before what is said to subscribers:
 * a fix for all, and that the installed version has it. A flaw that stays open for all is closed where the
 * subscribers' fix is installed.
 */
export function preferFreeFixes(statements: readonly Statement[], repaired: Repaired): readonly Statement[] {
  const free = new Set<string>();
  for (const { affected, verdict } of statements) {
    if (subscriptionOf(affected.ecosystem) === undefined && fixOf(verdict) !== null)
      free.add(affected.advisory);
  }
  return statements.flatMap((statement): readonly Statement[] => {
    const { affected, verdict } = statement;
    const subscription = subscriptionOf(affected.ecosystem);
    if (subscription === undefined) {
      return fixOf(verdict) === null && repaired.forSubscribers.has(affected.advisory) ? [] : [statement];
    }
    if (free.has(affected.advisory) || repaired.forAll.has(affected.advisory)) return [];
    if (!verdict.affected || verdict.fixed === null) return [statement];
    return [{ ...statement, verdict: { ...verdict, range: `${verdict.range}${NOTE}${subscription})` } }];
  });
}

function fixOf(verdict: Statement['verdict']): string | null {
  return verdict.affected ? verdict.fixed : null;
}

/** Says how many findings only subscribers can fix; none when there are none. */
export function subscriptionNotices(findings: readonly Finding[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { range } of findings) {
    const subscription = range.split(NOTE, 2)[1]?.slice(0, -1);
    if (subscription !== undefined) counts.set(subscription, (counts.get(subscription) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} findings have a fix for subscribers of ${name} only`);
}
