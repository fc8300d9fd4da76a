// What changed between two advisory files: a merge over their sorted blocks, in which blocks of equal hash are skipped.
import type { AdvisoryBlock, AdvisoryFile, AdvisoryRecord, AdvisorySection } from './types.ts';

/** A package whose statements changed. The name is normalised, as `lookup` takes it. */
export interface PackageKey {
  readonly ecosystem: string;
  readonly name: string;
}

/** What one step of the comparison found; often nothing, so that the caller can let others run in between. */
export interface DifferenceStep {
  readonly packages: readonly PackageKey[];
  /**
   * Ids of records in both files whose facts changed: severity, EPSS, KEV, text, aliases. One that appears, goes or is
   * withdrawn changes the statements about its packages.
   */
  readonly advisories: readonly string[];
}

/** Packages whose statements differ between two files, each once, in the order of their keys. */
export function* differenceOf(older: AdvisoryFile, newer: AdvisoryFile): Generator<PackageKey> {
  for (const keys of changedKeys(older, newer, 'packages')) for (const key of keys) yield packageOf(key);
}

/** Ids of advisories whose facts differ between two files, each once, sorted. */
export function* factsDifferenceOf(older: AdvisoryFile, newer: AdvisoryFile): Generator<string> {
  for (const keys of changedKeys(older, newer, 'facts')) for (const key of keys) yield key.toString('utf8');
}

/**
 * Both differences in steps of a few milliseconds. Ids and titles decide which statements speak of one flaw and which
 * erratum concerns a package: where those change, every package of the advisory is named as well.
 */
export function* differenceSteps(older: AdvisoryFile, newer: AdvisoryFile): Generator<DifferenceStep> {
  for (const keys of changedKeys(older, newer, 'packages'))
    yield { packages: keys.map(packageOf), advisories: [] };
  const renamed = new Set<string>();
  for (const keys of changedKeys(older, newer, 'facts', true)) {
    const advisories = keys.map((key) => key.toString('utf8'));
    for (const id of advisories) if (namesOf(older, id) !== namesOf(newer, id)) renamed.add(id);
    yield { packages: [], advisories };
  }
  if (renamed.size === 0) return;
  for (const block of newer.blocks('packages'))
    yield { packages: packagesNaming(block, renamed), advisories: [] };
}

function namesOf(file: AdvisoryFile, id: string): string {
  const facts = file.facts(id);
  return JSON.stringify([facts?.aliases, facts?.summary]);
}

/** Packages of a block with a statement of one of the advisories; a statement's JSON names its advisory as a string. */
function packagesNaming(block: AdvisoryBlock, ids: ReadonlySet<string>): readonly PackageKey[] {
  const packages: PackageKey[] = [];
  for (const { key, value } of block.records()) {
    const named = value.toString('utf8').match(/"[^"\\]+"/g) ?? [];
    if (named.some((text) => ids.has(text.slice(1, -1)))) packages.push(packageOf(key));
  }
  return packages;
}

function packageOf(key: Buffer): PackageKey {
  const text = key.toString('utf8');
  const end = text.indexOf('\0');
  return { ecosystem: text.slice(0, end), name: text.slice(end + 1) };
}

/** Keys compared in one step. */
const STEP_KEYS = 128;

/**
 * A block that both files hold gives both the same records, so it cannot make a difference and is never read. What is
 * left are two sorted streams; a key differs when its values, as a set with repeats, do.
 */
function* changedKeys(
  older: AdvisoryFile,
  newer: AdvisoryFile,
  section: AdvisorySection,
  onlyCommon = false,
): Generator<readonly Buffer[]> {
  const shared = sharedBlocks(older.blocks(section), newer.blocks(section));
  const left = groups(unshared(older.blocks(section), shared));
  const right = groups(unshared(newer.blocks(section), shared));
  let a = left.next();
  let b = right.next();
  let changed: Buffer[] = [];
  for (let compared = 1; a.done !== true || b.done !== true; compared++) {
    const order = a.done === true ? 1 : b.done === true ? -1 : Buffer.compare(a.value.key, b.value.key);
    if (order === 0 && a.done !== true && b.done !== true && !sameValues(a.value.values, b.value.values))
      changed.push(Buffer.from(a.value.key));
    if (order < 0 && a.done !== true && !onlyCommon) changed.push(Buffer.from(a.value.key));
    if (order > 0 && b.done !== true && !onlyCommon) changed.push(Buffer.from(b.value.key));
    if (order <= 0) a = left.next();
    if (order >= 0) b = right.next();
    if (compared % STEP_KEYS === 0) {
      yield changed;
      changed = [];
    }
  }
  yield changed;
}

/** How many times each hash occurs in both files. */
function sharedBlocks(
  older: Iterable<AdvisoryBlock>,
  newer: Iterable<AdvisoryBlock>,
): ReadonlyMap<string, number> {
  const counts = countHashes(older);
  return new Map(
    [...countHashes(newer)].map(([hash, count]) => [hash, Math.min(count, counts.get(hash) ?? 0)]),
  );
}

function countHashes(blocks: Iterable<AdvisoryBlock>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { hash } of blocks) if (hash !== null) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return counts;
}

function* unshared(
  blocks: Iterable<AdvisoryBlock>,
  shared: ReadonlyMap<string, number>,
): Generator<AdvisoryRecord> {
  const skip = new Map(shared);
  for (const block of blocks) {
    const left = block.hash === null ? 0 : (skip.get(block.hash) ?? 0);
    if (left > 0 && block.hash !== null) skip.set(block.hash, left - 1);
    else yield* block.records();
  }
}

interface Group {
  readonly key: Buffer;
  readonly values: readonly Buffer[];
}

/** Consecutive records of one key as one group. */
function* groups(records: Iterable<AdvisoryRecord>): Generator<Group> {
  let key: Buffer | undefined;
  let values: Buffer[] = [];
  for (const record of records) {
    if (key !== undefined && key.equals(record.key)) values.push(record.value);
    else {
      if (key !== undefined) yield { key, values };
      key = record.key;
      values = [record.value];
    }
  }
  if (key !== undefined) yield { key, values };
}

function sameValues(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  if (a.length !== b.length) return false;
  if (a.length === 1) return a.every((value, index) => b[index]?.equals(value));
  const sortedB = b.toSorted(Buffer.compare);
  return a.toSorted(Buffer.compare).every((value, index) => sortedB[index]?.equals(value));
}
