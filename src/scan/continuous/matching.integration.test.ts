// Whatever advisory files follow each other, and wherever matching is cut off: findings are those of a match from scratch.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  EventBus,
  silentLogger,
  systemClock,
  type FindingsClosed,
  type FindingsOpened,
  type ImageDirectory,
} from '../../core/index.ts';
import { openAdvisoryFile } from '../../advisories/index.ts';
import { openTestDatabase, type TestDatabase } from '../../store/testing.ts';
import { matchPackages } from '../match.ts';
import { beginScan, findScan } from '../store.ts';
import { listFindings, type StoredFinding } from '../store-queries.ts';
import { countFindings, saveReport } from '../store-results.ts';
import { affects, buildAdvisories } from '../testing.ts';
import type { DistributionRelease, Finding, ImagePackage, ScanReport } from '../types.ts';
import { AdvisoryArchive } from './archive.ts';
import { matchAdvisories, matchImage, type MatchingOptions } from './matching.ts';

let database: TestDatabase;
let folder: string;
let path: string;
beforeAll(async () => {
  database = await openTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'breakwater-continuous-'));
  path = join(folder, 'latest.advisories');
}, 120_000);
afterAll(async () => {
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every image is stored, in one repository. */
const directory: ImageDirectory = {
  list: () => Promise.resolve({ images: [], nextCursor: null }),
  find: async (digest) => (await directory.findMany([digest]))[0],
  findMany: (digests) =>
    Promise.resolve(
      digests.map((digest) => ({
        digest,
        mediaType: 'm',
        kind: 'image',
        size: 1,
        artifactType: null,
        locations: [
          { repository: `r/${digest}`, tags: [], pushedAt: '', pushedBy: '', lastPulledAt: null, pulls: 0 },
        ],
        children: [],
      })),
    ),
  resolve: () => Promise.resolve(undefined),
};

const DEBIAN: DistributionRelease = { id: 'debian', versionId: '12', prettyName: 'Debian 12' };

interface Statement {
  readonly id: number;
  readonly ecosystem: string;
  readonly name: string;
  readonly fixed: number;
  readonly severity: string;
  readonly withdrawn: boolean;
}

const UNHEARD_OF: Statement = {
  id: 99,
  ecosystem: 'npm',
  name: 'unheard-of',
  fixed: 1,
  severity: 'LOW',
  withdrawn: false,
};

async function publish(statements: readonly Statement[]): Promise<void> {
  // There is always a record: an advisory file is never empty.
  const byId = new Map([UNHEARD_OF, ...statements].map((one) => [one.id, one]));
  const records = [...byId.values()].map(({ id, ecosystem, name, fixed, severity, withdrawn }) => ({
    id: `GHSA-${id}`,
    aliases: [`CVE-2024-${1_000 + (id % 5)}`],
    database_specific: { severity },
    ...(withdrawn ? { withdrawn: '2024-01-01T00:00:00Z' } : {}),
    affected: [affects(ecosystem, name, `${fixed}.0.0`)],
  }));
  const built = await buildAdvisories(records);
  copyFileSync(built.path, path);
  built.remove();
}

function fresh(packages: readonly ImagePackage[]): readonly Finding[] {
  const file = openAdvisoryFile(path);
  const { findings } = matchPackages(packages, DEBIAN, file);
  file.close();
  return findings.map((finding) => ({ ...finding, layerDigest: `layer-${finding.layer}` }));
}

/** Stores what a scan with the file that is at the path now would report. */
async function scan(digest: string, packages: readonly ImagePackage[]): Promise<void> {
  const file = openAdvisoryFile(path);
  const { info } = file;
  file.close();
  const layers = [0, 1].map((index) => ({
    index,
    digest: `layer-${index}`,
    diffId: null,
    mediaType: 'm',
    size: 1,
    instruction: null,
    cached: false,
  }));
  const { kind, builtAt, advisories } = info;
  const report: ScanReport = {
    schemaVersion: 1,
    target: digest,
    status: 'finished',
    reason: null,
    image: { digest, mediaType: 'm', platform: 'linux/amd64', created: null, layers },
    distribution: DEBIAN,
    packages,
    findings: fresh(packages),
    problems: [],
    advisories: { kind, digest: info.digest, builtAt, ageHours: 0, advisories, notices: [] },
    scannedAt: new Date().toISOString(),
  };
  const attempt = await beginScan(database.db, digest, 'push', new Date());
  expect(await saveReport(database.db, digest, attempt, report, new Date())).toBe(true);
}

function comparable(findings: readonly Finding[]): readonly unknown[] {
  return findings
    .map(({ state, id, purl, path: place, layer, layerDigest, ...rest }) => {
      const { advisory, aliases, severity, fixed, range } = rest;
      return { state, id, purl, place, layer, layerDigest, advisory, aliases, severity, fixed, range };
    })
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function stored(digest: string): Promise<readonly StoredFinding[]> {
  return (await listFindings(database.db, { image: digest, limit: 10_000 })).findings;
}

const names = fc.constantFrom('a', 'b', 'c', 'd');
const ecosystems = fc.constantFrom('npm', 'PyPI', 'Debian:12');
const statement = fc.record({
  id: fc.nat(19),
  ecosystem: ecosystems,
  name: names,
  fixed: fc.integer({ min: 1, max: 3 }),
  severity: fc.constantFrom('HIGH', 'LOW'),
  withdrawn: fc.boolean(),
});
const packages = fc
  .uniqueArray(
    fc.record({
      kind: fc.constantFrom('npm', 'pypi', 'dpkg'),
      name: names,
      version: fc.nat(3),
      layer: fc.nat(1),
    }),
    { selector: (one) => `${one.kind} ${one.name}` },
  )
  .map((list) =>
    list.map(
      ({ kind, name, version, layer }): ImagePackage => ({
        kind,
        name: kind === 'dpkg' ? `lib${name}` : name,
        version: `${version}.0.0`,
        ...(kind === 'dpkg' ? { source: { name, version: `${version}.0.0` } } : {}),
        path: `${kind}/${name}`,
        purl: `pkg:${kind}/${name}@${version}.0.0`,
        layer,
      }),
    ),
  );

function optionsFor(events: EventBus): MatchingOptions {
  const archive = new AdvisoryArchive(folder, path);
  return { store: database, directory, events, logger: silentLogger(), clock: systemClock, archive };
}

/** An abort signal that aborts when it is asked for the given time. */
function abortingAfter(checks: number): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let left = checks;
  const check = signal.throwIfAborted.bind(signal);
  signal.throwIfAborted = () => {
    if (left-- <= 0) controller.abort(new Error('cut off'));
    check();
  };
  return signal;
}

describe('continuous matching', () => {
  it('equals a match from scratch after any sequence of advisory files', async () => {
    const never = new AbortController().signal;
    const step = fc.record({
      statements: fc.array(statement, { maxLength: 12 }),
      late: fc.boolean(),
      cut: fc.option(fc.nat(2), { nil: undefined }),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(packages, { minLength: 2, maxLength: 4 }),
        fc.array(step, { minLength: 1, maxLength: 4 }),
        async (contents, steps) => {
          const images = new Map(contents.map((list, index) => [`image-${round}-${index}`, list]));
          round++;
          const events = new EventBus(silentLogger());
          const opened: FindingsOpened[] = [];
          const closed: FindingsClosed[] = [];
          events.subscribe('finding.opened', (event) => void opened.push(event));
          events.subscribe('finding.closed', (event) => void closed.push(event));
          const options = optionsFor(events);
          await publish([]);
          await matchAdvisories(options, never);
          for (const [digest, list] of images) await scan(digest, list);
          for (const { statements, late, cut } of steps) {
            const before = new Map<string, readonly StoredFinding[]>();
            for (const digest of images.keys()) before.set(digest, await stored(digest));
            opened.length = 0;
            closed.length = 0;
            const [first] = images;
            await publish(statements);
            // A scan that had the new file before matching began.
            if (late && first !== undefined) await scan(...first);
            if (cut !== undefined) await matchAdvisories(options, abortingAfter(cut)).catch(() => undefined);
            await matchAdvisories(options, never);
            if (late && first !== undefined) await matchImage(options, first[0]);
            await new Promise((resolve) => setImmediate(resolve));
            for (const [digest, list] of images) {
              const now = await stored(digest);
              expect(comparable(now)).toEqual(comparable(fresh(list)));
              const row = await findScan(database.db, digest);
              expect(row).toMatchObject({ counts: countFindings(now), matchedCurrent: true });
              if (late && digest === first?.[0]) continue;
              const was = before.get(digest) ?? [];
              const told = (all: readonly FindingsOpened[]): readonly string[] =>
                all
                  .filter((event) => event.digest === digest)
                  .flatMap((event) => event.findings.map(({ id, purl }) => `${id} ${purl}`))
                  .toSorted();
              const difference = (a: readonly Finding[], b: readonly Finding[]): readonly string[] =>
                a
                  .filter((one) => !b.some((other) => other.id === one.id && other.purl === one.purl))
                  .map(({ id, purl }) => `${id} ${purl}`)
                  .toSorted();
              expect(told(opened)).toEqual(difference(now, was));
              expect(told(closed)).toEqual(difference(was, now));
            }
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('touches only images that hold a changed package, and says how many', async () => {
    const never = new AbortController().signal;
    const options = optionsFor(new EventBus(silentLogger()));
    const item = (name: string): ImagePackage => ({
      kind: 'npm',
      name,
      version: '1.0.0',
      path: name,
      purl: `pkg:npm/${name}@1.0.0`,
      layer: 0,
    });
    const base = { ecosystem: 'npm', fixed: 2, severity: 'HIGH', withdrawn: false };
    await publish([{ ...base, id: 1, name: 'nobody' }]);
    await matchAdvisories(options, never);
    for (let index = 0; index < 30; index++)
      await scan(`few-${index}`, [item(`own-${index}`), item('common')]);
    const statements = [
      { ...base, id: 1, name: 'nobody' },
      { ...base, id: 102, name: 'own-3' },
      { ...base, id: 103, name: 'own-7' },
    ];
    await publish(statements);
    expect(await matchAdvisories(options, never)).toMatchObject([
      { touchedPackages: 2, touchedImages: 2, changedImages: 2, rows: 4 },
    ]);
    expect(await stored('few-3')).toMatchObject([{ id: 'CVE-2024-1002', package: 'own-3' }]);
    await publish(statements.map((one) => ({ ...one, severity: one.id === 102 ? 'LOW' : 'HIGH' })));
    expect(await matchAdvisories(options, never)).toMatchObject([
      { touchedPackages: 0, touchedImages: 1, changedImages: 1, rows: 2 },
    ]);
    expect(await stored('few-3')).toMatchObject([{ severity: 'low' }]);
    await publish(statements.map((one) => ({ ...one, severity: 'LOW', withdrawn: one.id === 103 })));
    await matchAdvisories(options, never);
    expect(await stored('few-7')).toEqual([]);
    expect(await matchAdvisories(options, never)).toEqual([]);
  });
});
