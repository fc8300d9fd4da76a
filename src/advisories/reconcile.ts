// Settles what several records say about one package of one release, so that a finding is counted once and truly.
import type { CollectedStatement } from './collector.ts';
import { cveIds } from './osv.ts';
import { isDistribution } from './severity.ts';

/**
 * In this order:
 * 1. statements of one record about one package become one (GHSA splits branches over several);
 * 2. distributions only: where one record leaves a CVE open and a newer one names its fix, the fix holds;
 * 3. Debian DSA and DLA announcements name no CVE: they are dropped where a tracker record names the same fix.
 */
export function reconcile(
  statements: readonly CollectedStatement[],
  ecosystem: string,
): readonly CollectedStatement[] {
  const merged = mergeByRecord(statements);
  return isDistribution(ecosystem) ? withoutAnnouncements(closeFixed(merged)) : merged;
}

function mergeByRecord(statements: readonly CollectedStatement[]): readonly CollectedStatement[] {
  if (statements.length < 2) return statements;
  const merged = new Map<string, CollectedStatement>();
  for (const statement of statements) {
    const key = `${statement.body.id}\0${statement.urgency ?? ''}`;
    const known = merged.get(key);
    merged.set(key, known === undefined ? statement : join(known, statement));
  }
  return [...merged.values()].sort((a, b) => (a.body.id < b.body.id ? -1 : a.body.id > b.body.id ? 1 : 0));
}

function join(a: CollectedStatement, b: CollectedStatement): CollectedStatement {
  const ranges = new Map([...a.ranges, ...b.ranges].map((range) => [JSON.stringify(range), range]));
  return {
    ...a,
    ranges: [...ranges.values()],
    versions: [...new Set([...a.versions, ...b.versions])],
    // A statement without import paths covers the whole module, so the union does too.
    imports:
      a.imports === undefined || b.imports === undefined
        ? undefined
        : [...new Set([...a.imports, ...b.imports])],
  };
}

function closeFixed(statements: readonly CollectedStatement[]): readonly CollectedStatement[] {
  const fixes = new Map<string, CollectedStatement>();
  for (const statement of statements) {
    if (isOpen(statement)) continue;
    for (const cve of cvesOf(statement)) fixes.set(cve, statement);
  }
  const spent = new Set<CollectedStatement>();
  const closed = statements.map((statement) => {
    if (!isOpen(statement)) return statement;
    const fix = cvesOf(statement)
      .map((cve) => fixes.get(cve))
      .find((candidate) => candidate !== undefined);
    if (fix === undefined || (fix.body.modified ?? '') <= (statement.body.modified ?? '')) return statement;
    // The tracker's record stays, with its urgency and text; a record about this one CVE has then nothing left to say.
    if (cvesOf(fix).length === 1) spent.add(fix);
    return { ...statement, ranges: fix.ranges };
  });
  return closed.filter((statement) => !spent.has(statement));
}

function cvesOf({ body }: CollectedStatement): readonly string[] {
  return cveIds(body.id, body.aliases);
}

function isOpen({ versions, ranges }: CollectedStatement): boolean {
  return (
    versions.length === 0 && ranges.every(({ fixed, lastAffected }) => (fixed ?? lastAffected) === undefined)
  );
}

function withoutAnnouncements(statements: readonly CollectedStatement[]): readonly CollectedStatement[] {
  const fixed = new Set<string | undefined>();
  for (const statement of statements) {
    if (!isAnnouncement(statement)) for (const range of statement.ranges) fixed.add(range.fixed);
  }
  return statements.filter(
    (statement) => !isAnnouncement(statement) || statement.ranges.some((range) => !fixed.has(range.fixed)),
  );
}

function isAnnouncement({ body }: CollectedStatement): boolean {
  return /^D[SL]A-/.test(body.id) && body.aliases.length === 0;
}
