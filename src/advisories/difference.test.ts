// The difference of two advisory files is what a look-up of every key would show, and costs what changed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdvisoryCollector } from './collector.ts';
import { differenceOf, differenceSteps, factsDifferenceOf } from './difference.ts';
import { openAdvisoryFile } from './file/read.ts';
import { writeAdvisoryFile } from './file/write.ts';
import { starterAdvisories } from './starter.ts';
import type { AdvisoryFile } from './types.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'breakwater-difference-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Entry {
  readonly id: number;
  readonly name: number;
  readonly fixed: number;
  readonly severity: string;
  readonly summary?: string;
}

async function write(name: string, entries: readonly Entry[]): Promise<AdvisoryFile> {
  const collector = new AdvisoryCollector();
  for (const { id, name: number, fixed, severity, summary } of entries) {
    const events = [{ introduced: '0' }, { fixed: `1.${fixed}.0` }];
    collector.add(
      {
        id: `GHSA-${id}`,
        modified: '2024-01-01T00:00:00Z',
        summary: summary ?? `summary of ${id}`.padEnd(200, String(id)),
        database_specific: { severity },
        affected: [
          { package: { ecosystem: 'npm', name: `p${number}` }, ranges: [{ type: 'SEMVER', events }] },
        ],
      },
      's',
    );
  }
  const path = join(folder, name);
  const sources = [{ name: 's', records: 1, rejected: 0, newest: null }];
  await writeAdvisoryFile(collector, path, { builtAt: '2026-11-24T00:00:00.000Z', sources });
  return openAdvisoryFile(path);
}

/** Compares look-ups of every key that either file may have. */
function naive(a: AdvisoryFile, b: AdvisoryFile, names: number, ids: number): [string[], string[]] {
  const differs = (ask: (file: AdvisoryFile) => unknown): boolean =>
    JSON.stringify(ask(a)) !== JSON.stringify(ask(b));
  const all = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  return [
    all('p', names)
      .filter((name) => differs((file) => file.lookup('npm', name)))
      .toSorted(),
    all('GHSA-', ids)
      .filter((id) => differs((file) => file.facts(id)))
      .toSorted(),
  ];
}

const entry = fc.record({
  id: fc.nat(29),
  name: fc.nat(9),
  fixed: fc.nat(3),
  severity: fc.constantFrom('HIGH', 'LOW'),
});

describe('the difference of two files', () => {
  it('is that of their look-ups', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry), fc.array(entry), async (left, right) => {
        const distinct = (entries: readonly Entry[]): readonly Entry[] => [
          ...new Map(entries.map((one) => [one.id, one])).values(),
        ];
        const a = await write('a', distinct(left));
        const b = await write('b', distinct([...left.slice(0, 10), ...right]));
        const [names, ids] = naive(a, b, 10, 30);
        expect([...differenceOf(a, b)].map(({ name }) => name)).toEqual(names);
        expect([...factsDifferenceOf(a, b)]).toEqual(ids);
        expect([...differenceOf(a, a)]).toEqual([]);
        a.close();
        b.close();
      }),
      { numRuns: 60 },
    );
  });

  it('reads few blocks when little changed, wherever it did', async () => {
    const many = Array.from({ length: 6_000 }, (_, id) => ({ id, name: id, fixed: 1, severity: 'HIGH' }));
    const a = await write('many', many);
    const more = [5, 2_500, 5_900].map((id) => ({ id: 10_000 + id, name: id, fixed: 2, severity: 'LOW' }));
    const b = await write('more', [...many, ...more]);
    expect([...differenceOf(a, b)].map(({ name }) => name).toSorted()).toEqual(['p2500', 'p5', 'p5900']);
    expect([...factsDifferenceOf(a, b)]).toHaveLength(3);
    for (const section of ['packages', 'facts'] as const) {
      const known = new Set([...a.blocks(section)].map(({ hash }) => hash));
      const blocks = [...b.blocks(section)];
      expect(blocks.length).toBeGreaterThanOrEqual(10);
      expect(blocks.filter(({ hash }) => !known.has(hash)).length).toBeLessThanOrEqual(6);
    }
    a.close();
    b.close();
  });

  it('names every package of an advisory whose title changes, and none when only its rating does', async () => {
    const one = { id: 1, name: 3, fixed: 1, severity: 'HIGH' };
    const a = await write('before', [one, { ...one, id: 2, name: 4 }]);
    const steps = async (changed: Entry): Promise<unknown> => {
      const b = await write('after', [changed, { ...one, id: 2, name: 4 }]);
      const all = [...differenceSteps(a, b)];
      b.close();
      return [all.flatMap(({ packages }) => packages), all.flatMap(({ advisories }) => advisories)];
    };
    expect(await steps({ ...one, severity: 'LOW' })).toEqual([[], ['GHSA-1']]);
    expect(await steps({ ...one, summary: 'other words' })).toEqual([
      [{ ecosystem: 'npm', name: 'p3' }],
      ['GHSA-1'],
    ]);
    a.close();
  });

  it('is everything against nothing, also for advisories in memory', async () => {
    const empty = await write('empty', []);
    const starter = starterAdvisories();
    expect([...differenceOf(empty, starter)]).toHaveLength(starter.info.packages);
    expect([...differenceOf(starter, starter)]).toEqual([]);
    expect([...factsDifferenceOf(starter, empty)]).toHaveLength(starter.info.advisories);
    empty.close();
  });
});
