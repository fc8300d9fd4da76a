// A whole build from ../shared/advisories: within its budget, repeatable, and right about packages we know.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildResult, buildAdvisoryFile } from './build.ts';
import { openAdvisoryFile } from './file/read.ts';
import { matchVersion } from './match.ts';
import { lookupAdvisories } from './status.ts';
import type { AdvisoryFile } from './types.ts';
import { versionScheme } from './versions/index.ts';

const DATA = join(import.meta.dirname, '../../../shared/advisories');
const clock = { now: () => Date.UTC(2026, 10, 24) };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-build-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a build', () => {
  it('counts what it cannot read and goes on', async () => {
    const source = join(folder, 'mixed.ndjson');
    const good = { id: 'X-1', affected: [{ package: { ecosystem: 'npm', name: 'x' }, versions: ['1.0.0'] }] };
    writeFileSync(source, `${JSON.stringify(good)}\nbroken\n{"no":"record"}\n`);
    const result = await buildAdvisoryFile([source], join(folder, 'mixed.out'), { clock });
    expect(result.info).toMatchObject({
      advisories: 1,
      packages: 1,
      sources: [{ name: 'mixed', records: 1, rejected: 2 }],
    });
    expect(result.problems).toHaveLength(2);
  });

  it('leaves what was there when it fails', async () => {
    const out = join(folder, 'kept');
    writeFileSync(out, 'before');
    await expect(buildAdvisoryFile([join(folder, 'absent')], out, { clock })).rejects.toMatchObject({
      code: 'ADVISORIES_SOURCE_UNREADABLE',
    });
    const empty = join(folder, 'empty.ndjson');
    writeFileSync(empty, '\n');
    await expect(buildAdvisoryFile([empty], out, { clock })).rejects.toMatchObject({
      code: 'ADVISORIES_SOURCE_EMPTY',
    });
    expect(readFileSync(out, 'utf8')).toBe('before');
    const unwritable = join(folder, 'no-such-folder', 'out');
    await expect(
      buildAdvisoryFile([join(folder, 'mixed.ndjson')], unwritable, { clock }),
    ).rejects.toMatchObject({ code: 'ADVISORIES_BUILD_FAILED' });
  });
});

describe.skipIf(!existsSync(DATA))('a build from published data (needs ../shared/advisories)', () => {
  let file: AdvisoryFile;
  let result: BuildResult;
  let seconds: number;
  beforeAll(async () => {
    const out = join(folder, 'all.advisories');
    const started = performance.now();
    result = await buildAdvisoryFile([DATA], out, { clock });
    seconds = (performance.now() - started) / 1000;
    file = openAdvisoryFile(out);
  });
  afterAll(() => file.close());

  it('takes less than a minute and loses nothing', () => {
    expect(seconds).toBeLessThan(60);
    expect(result.problems).toEqual([]);
    expect(file.info).toEqual(result.info);
    expect(result.info.advisories).toBeGreaterThan(150_000);
    const records = result.info.sources.reduce((sum, source) => sum + source.records, 0);
    expect(records).toBe(238_624);
    expect(file.ecosystems()).toEqual(
      expect.arrayContaining(['Debian:12', 'Alpine:v3.20', 'npm', 'PyPI', 'Go', 'Ubuntu:22.04:LTS']),
    );
  });

  const ids = (ecosystem: string, name: string, version: string): readonly string[] => {
    const scheme = versionScheme(ecosystem);
    if (scheme === undefined) throw new Error(`no scheme for ${ecosystem}`);
    return file
      .lookup(ecosystem, name)
      .filter((statement) => matchVersion(statement, version, scheme).affected)
      .flatMap(({ advisory }) => [advisory, ...(file.facts(advisory)?.aliases ?? [])]);
  };

  it.each([
    ['npm', 'lodash', '4.17.15', ['CVE-2020-8203', 'CVE-2021-23337', 'CVE-2020-28500']],
    ['npm', 'minimist', '1.2.0', ['CVE-2020-7598', 'CVE-2021-44906']],
    ['PyPI', 'pyyaml', '5.3', ['CVE-2020-14343', 'CVE-2020-1747']],
    ['Go', 'golang.org/x/text', 'v0.3.5', ['CVE-2021-38561', 'CVE-2022-32149']],
    ['Alpine:v3.18', 'busybox', '1.36.0-r0', ['CVE-2022-48174']],
    ['Debian:12', 'glibc', '2.36-9+deb12u1', ['CVE-2023-4911']],
  ])('finds what is known of %s %s %s', (ecosystem, name, version, expected) => {
    expect(ids(ecosystem, name, version)).toEqual(expect.arrayContaining(expected));
  });

  it.each([
    ['npm', 'lodash', '4.17.21'],
    ['npm', 'minimist', '1.2.8'],
    ['Alpine:v3.20', 'zlib', '1.3.1-r1'],
  ])('finds nothing for the repaired %s %s %s', (ecosystem, name, version) => {
    expect(ids(ecosystem, name, version)).toEqual([]);
  });

  it('gives the changelog fix for what the tracker still had open', () => {
    const [statement, ...more] = file
      .lookup('Debian:12', 'libxml2')
      .filter(({ advisory }) => advisory.endsWith('CVE-2022-49043'));
    expect(more).toEqual([]);
    expect(statement).toMatchObject({
      advisory: 'DEBIAN-CVE-2022-49043',
      ranges: [{ fixed: '2.9.14+dfsg-1.3~deb12u2' }],
    });
  });

  it('knows withdrawn records, and that they match nothing', () => {
    expect(file.facts('GO-2022-0617')?.withdrawn).not.toBeNull();
    expect(file.lookup('Go', 'k8s.io/kubernetes').map(({ advisory }) => advisory)).not.toContain(
      'GO-2022-0617',
    );
  });

  it('answers for a CVE by every record that names it, with exploitation and EPSS', () => {
    const found = lookupAdvisories(file, 'CVE-2023-4911');
    const advisories = found.kind === 'advisories' ? found.advisories : [];
    expect(advisories.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['DEBIAN-CVE-2023-4911', 'UBUNTU-CVE-2023-4911']),
    );
    expect(file.facts('DEBIAN-CVE-2023-4911')).toMatchObject({
      severity: 'high',
      exploited: true,
      epss: expect.any(Number),
    });
  });

  it('gives the same bytes for the same sources and clock', async () => {
    const part = join(DATA, 'npm.ndjson.gz');
    const outs = [join(folder, 'one'), join(folder, 'two')];
    for (const out of outs) await buildAdvisoryFile([part], out, { clock });
    const [one = '', two = ''] = outs;
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });
});
