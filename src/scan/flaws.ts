// Sorts the statements about one package by flaw: one flaw has several ids, joined by aliases (OSV schema, "aliases").
import type { AdvisoryFacts, AffectedPackage, MatchVerdict } from '../advisories/index.ts';

/** What one advisory says about one installed package, decided. */
export interface Statement {
  readonly affected: AffectedPackage;
  readonly verdict: MatchVerdict;
  /** The advisory's own id first, then its aliases. */
  readonly ids: readonly string[];
  readonly advisory: AdvisoryFacts;
}

export interface Flaw {
  /** Every id of the flaw, sorted. */
  readonly ids: readonly string[];
  readonly statements: readonly Statement[];
}

/** Is the id a CVE's, and nothing more? */
export function isCve(id: string): boolean {
  return /^CVE-\d{4}-\d{4,}$/.test(id);
}

/**
 * Groups statements that speak of the same flaw. An advisory that names several CVEs is a bulletin: it belongs to each
 * of their groups and does not join them, because one fix for two flaws does not make them one.
 */
export function groupByFlaw(statements: readonly Statement[]): readonly Flaw[] {
  const sets = new UnionFind();
  const bulletins: Statement[] = [];
  const single: Statement[] = [];
  for (const statement of statements) {
    const cves = statement.ids.filter(isCve);
    if (cves.length > 1) bulletins.push(statement);
    else {
      single.push(statement);
      for (const id of statement.ids) sets.join(statement.advisory.id, id);
    }
  }
  const groups = new Map<string, Statement[]>();
  const put = (root: string, statement: Statement): void => {
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [statement]);
    else if (!group.includes(statement)) group.push(statement);
  };
  for (const statement of single) put(sets.find(statement.advisory.id), statement);
  for (const statement of bulletins) {
    for (const cve of statement.ids.filter(isCve)) put(sets.find(cve), statement);
  }
  return [...groups].map(([root, members]) => ({ ids: idsOf(root, members, sets), statements: members }));
}

/** The ids of a group: those of its own advisories; of a bulletin its id, but not the other flaws it names. */
function idsOf(root: string, members: readonly Statement[], sets: UnionFind): string[] {
  const ids = new Set<string>();
  for (const { ids: named, advisory } of members) {
    ids.add(advisory.id);
    for (const id of named) if (sets.find(id) === root) ids.add(id);
  }
  if (isCve(root)) ids.add(root);
  return [...ids].toSorted();
}

/** Disjoint sets of ids, with path halving. */
class UnionFind {
  readonly #parents = new Map<string, string>();

  find(id: string): string {
    let current = id;
    for (;;) {
      const parent = this.#parents.get(current) ?? current;
      if (parent === current) return current;
      const above = this.#parents.get(parent) ?? parent;
      this.#parents.set(current, above);
      current = above;
    }
  }

  /** Joins two ids; a CVE becomes the root where one is. */
  join(a: string, b: string): void {
    const rootA = this.find(a);
    const rootB = this.find(b);
    if (rootA === rootB) return;
    if (isCve(rootA)) this.#parents.set(rootB, rootA);
    else this.#parents.set(rootA, rootB);
  }
}
