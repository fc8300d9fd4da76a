// Settles what several records say about one package of one release, so that a finding is counted once and truly.
import type { CollectedStatement } from './collector.ts';
import { cveIds } from './osv.ts';
import { isDistribution } from './severity.ts';
import type { AffectedPackage } from './types.ts';

/**
 * In this order:
 * 1. statements of one record about one package become one (GHSA splits branches over several);
 * 2. distributions only: where one record leaves a CVE open and a newer one names its fix, the fix holds;
 * 3. Debian DSA and DLA announcements name no CVE: they are dropped where a tracker record names the same fix.
 */
export function reconcile(statements: readonly CollectedStatement[]): readonly AffectedPackage[] {
  const merged = mergeByRecord(statements);
  const [first] = merged;
  if (first === undefined) return [];
  if (!isDistribution(first.affected.ecosystem)) return merged.map(({ affected }) => affected);
  return withoutAnnouncements(closeFixed(merged)).map(({ affected }) => affected);
}

function mergeByRecord(statements: readonly CollectedStatement[]): readonly CollectedStatement[] {
  if (statements.length < 2) return statements;
  const merged = new Map<string, CollectedStatement>();
  for (const statement of statements) {
    const { advisory, urgency } = statement.affected;
    const key = `${advisory}\0${urgency ?? ''}`;
    const known = merged.get(key);
    merged.set(key, known === undefined ? statement : join(known, statement));
  }
  return [...merged.values()].sort((a, b) => (a.affected.advisory < b.affected.advisory ? -1 : 1));
}

function join(a: CollectedStatement, b: CollectedStatement): CollectedStatement {
  const ranges = new Map(
    [...a.affected.ranges, ...b.affected.ranges].map((range) => [JSON.stringify(range), range]),
  );
  const imports = [...new Set([...(a.affected.imports ?? []), ...(b.affected.imports ?? [])])];
  return {
    body: a.body,
    affected: {
      ...a.affected,
      ranges: [...ranges.values()],
      versions: [...new Set([...a.affected.versions, ...b.affected.versions])],
      // Statements without import paths cover the whole module, so the union does too.
      ...(a.affected.imports === undefined || b.affected.imports === undefined ? {} : { imports }),
    },
  };
}

function closeFixed(statements: readonly CollectedStatement[]): readonly CollectedStatement[] {
  const fixes = new Map<string, CollectedStatement>();
  for (const statement of statements) {
    if (isOpen(statement)) continue;
    for (const cve of cveIds(statement.body.id, statement.body.aliases)) fixes.set(cve, statement);
  }
  const replaced = new Set<CollectedStatement>();
  const closed = statements.map((statement) => {
    if (!isOpen(statement)) return statement;
    const fix = cveIds(statement.body.id, statement.body.aliases)
      .map((cve) => fixes.get(cve))
      .find(Boolean);
    if (fix === undefined || (fix.body.modified ?? '') <= (statement.body.modified ?? '')) return statement;
    // The tracker's record stays, with its urgency and text; a record about this one CVE has then nothing left to say.
    if (cveIds(fix.body.id, fix.body.aliases).length === 1) replaced.add(fix);
    return { ...statement, affected: { ...statement.affected, ranges: fix.affected.ranges } };
  });
  return closed.filter((statement) => !replaced.has(statement));
}

function isOpen({ affected }: CollectedStatement): boolean {
  return (
    affected.versions.length === 0 &&
    affected.ranges.every(({ fixed, lastAffected }) => (fixed ?? lastAffected) === undefined)
  );
}

function withoutAnnouncements(statements: readonly CollectedStatement[]): readonly CollectedStatement[] {
  const isAnnouncement = ({ body }: CollectedStatement) =>
    /^D[SL]A-/.test(body.id) && body.aliases.length === 0;
  const fixed = new Set<string>();
  for (const statement of statements) {
    if (isAnnouncement(statement)) continue;
    for (const range of statement.affected.ranges) if (range.fixed !== undefined) fixed.add(range.fixed);
  }
  return statements.filter(
    (statement) =>
      !isAnnouncement(statement) || statement.affected.ranges.some((range) => !fixed.has(range.fixed ?? '')),
  );
}
