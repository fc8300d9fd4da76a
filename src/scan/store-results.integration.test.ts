// Results appear whole or not at all, whatever attempts fail halfway or overtake each other; on a real store.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../store/testing.ts';
import { beginScan, failScan, findScan } from './store.ts';
import { storedLayerBytes } from './store-layers.ts';
import { listFindings, listPackages } from './store-queries.ts';
import { forgetImage, saveReport } from './store-results.ts';
import type { Finding, ImagePackage, ScanReport } from './types.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
}, 120_000);
afterAll(() => database?.close());

const NOW = new Date('2026-02-03T04:05:06Z');

function finding(id: string, layer = 0): Finding {
  return {
    id,
    advisory: id,
    aliases: ['ALIAS'],
    purl: 'pkg:npm/a@1',
    kind: 'npm',
    package: 'a',
    installed: '1',
    fixed: null,
    fixState: 'not-fixed',
    severity: 'high',
    severitySource: 'cvss3',
    cvssScore: 7.5,
    cvssVector: null,
    epss: 0.5,
    exploited: true,
    title: 'nul \0 and half a pair \ud800',
    range: '< 2',
    layer,
    layerDigest: null,
    path: 'p',
    state: 'open',
  };
}

function item(name: string, layer = 0): ImagePackage {
  const licenses = ['MIT \0'];
  return {
    kind: 'npm',
    name,
    version: '1',
    path: `node_modules/${name}`,
    purl: `pkg:npm/${name}@1`,
    layer,
    licenses,
  };
}

function report(packages: readonly ImagePackage[], findings: readonly Finding[]): ScanReport {
  const advisories = {
    kind: 'file',
    digest: 'd',
    builtAt: NOW.toISOString(),
    ageHours: 0,
    advisories: 1,
    notices: [],
  } as const;
  const image = { digest: 'x', mediaType: 'm', platform: 'linux/amd64', created: null, layers: [] };
  return {
    schemaVersion: 1,
    target: 't',
    status: 'finished',
    reason: null,
    image,
    distribution: null,
    packages,
    findings,
    problems: [],
    advisories,
    scannedAt: NOW.toISOString(),
  };
}

async function shown(digest: string): Promise<{ packages: string[]; open: string[]; fixed: string[] }> {
  const { findings } = await listFindings(database.db, { image: digest, state: 'all', limit: 5_000 });
  const { packages } = await listPackages(database.db, { image: digest, limit: 5_000 });
  const of = (state: string): string[] =>
    findings
      .filter((one) => one.state === state)
      .map((one) => one.id)
      .toSorted();
  return { packages: packages.map((one) => one.name), open: of('open'), fixed: of('fixed') };
}

/** A report whose last batch the database refuses, after the batches before it were written. */
function broken(ids: readonly string[]): ScanReport {
  const many = Array.from({ length: 500 }, (_, index) => finding(`STAGED-${index}`));
  return report([item('staged')], [...many, ...ids.map((id) => finding(id)), finding('REFUSED', 0.5)]);
}

describe('stored results', () => {
  it('are more than fit one transaction, and come back as they went', async () => {
    const packages = Array.from({ length: 1_201 }, (_, index) => item(`p${String(index).padStart(4, '0')}`));
    const findings = Array.from({ length: 1_001 }, (_, index) => finding(`CVE-${index}`));
    const attempt = await beginScan(database.db, 'many', 'push', NOW);
    expect(await saveReport(database.db, 'many', attempt, report(packages, findings), NOW)).toBe(true);
    const result = await shown('many');
    expect(result.packages).toEqual(packages.map((one) => one.name));
    expect(result.open).toHaveLength(1_001);
    const { findings: one } = await listFindings(database.db, { image: 'many', id: 'CVE-7', limit: 1 });
    expect(one).toMatchObject([
      {
        ...finding('CVE-7'),
        title: 'nul  and half a pair \ufffd',
        image: 'many',
        firstSeen: NOW.toISOString(),
      },
    ]);
    expect(await findScan(database.db, 'many')).toMatchObject({
      status: 'finished',
      packageCount: 1_201,
      counts: { high: 1_001, low: 0 },
      platform: 'linux/amd64',
    });
    await forgetImage(database.db, 'many');
    expect(await shown('many')).toEqual({ packages: [], open: [], fixed: [] });
    expect(await findScan(database.db, 'many')).toBeUndefined();
  });

  it('of an overtaken attempt are never shown', async () => {
    const early = await beginScan(database.db, 'race', 'push', NOW);
    const late = await beginScan(database.db, 'race', 'on-demand', NOW);
    expect(await saveReport(database.db, 'race', early, report([item('early')], [finding('E')]), NOW)).toBe(
      false,
    );
    await failScan(database.db, 'race', early, { status: 'failed', code: 'X', message: '', now: NOW });
    expect(await findScan(database.db, 'race')).toMatchObject({ status: 'running', error: null });
    expect(await saveReport(database.db, 'race', late, report([item('late')], [finding('L')]), NOW)).toBe(
      true,
    );
    expect(await shown('race')).toEqual({ packages: ['late'], open: ['L'], fixed: [] });
  });

  it('agree with a model after any sequence of whole, broken and overtaken attempts', async () => {
    const ids = fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D'));
    const step = fc.record({ kind: fc.constantFrom('whole', 'whole', 'broken', 'overtaken'), ids });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const digest = `model-${round++}`;
        const { db } = database;
        const seen = new Set<string>();
        let expected: Awaited<ReturnType<typeof shown>> = { packages: [], open: [], fixed: [] };
        for (const { kind, ids: now } of steps) {
          const attempt = await beginScan(db, digest, 'push', NOW);
          if (kind === 'broken') {
            await expect(saveReport(db, digest, attempt, broken(now), NOW)).rejects.toThrow();
          } else {
            if (kind === 'overtaken') await beginScan(db, digest, 'push', NOW);
            const whole = report(
              now.map((id) => item(id)),
              now.map((id) => finding(id)),
            );
            const saved = await saveReport(db, digest, attempt, whole, NOW);
            expect(saved).toBe(kind === 'whole');
            if (saved) {
              for (const id of now) seen.add(id);
              const fixed = [...seen].filter((id) => !now.some((one) => one === id)).toSorted();
              expected = { packages: now, open: now.toSorted(), fixed };
            }
          }
          expect(await shown(digest)).toEqual(expected);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('of layers are bytes by digest', async () => {
    const layers = storedLayerBytes(database.db, { now: () => NOW.getTime() });
    expect(await layers.get('sha256:a')).toBeUndefined();
    await layers.put('sha256:a', Buffer.from([0, 1, 255]));
    await layers.put('sha256:a', Buffer.from([0, 2, 255]));
    expect(await layers.get('sha256:a')).toEqual(Buffer.from([0, 2, 255]));
  });
});
