// Upgrades that end all findings of a package, and why there is or is no finding, with a real advisory file.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/index.ts';
import { scanSbom } from '../sbom/scan-sbom.ts';
import { affects, buildAdvisories, type TestAdvisoryFile } from '../testing.ts';
import type { ScanReport } from '../types.ts';
import { explainFinding } from './explanation.ts';
import { adviseUpgrades } from './upgrades.ts';

const branches = (name: string, ...events: readonly Readonly<Record<string, string>>[]) => ({
  package: { ecosystem: 'npm', name },
  ranges: [{ type: 'SEMVER', events }],
});

let file: TestAdvisoryFile;
beforeAll(async () => {
  file = await buildAdvisories([
    // One branch each: 1.2.5 ends A in 1.x, 2.1.0 ends it in 2.x; B ends in 2.0.5 only.
    {
      id: 'A-1',
      affected: [
        branches('web', { introduced: '0' }, { fixed: '1.2.5' }, { introduced: '2.0.0' }, { fixed: '2.1.0' }),
      ],
    },
    { id: 'A-2', affected: [affects('npm', 'web', '2.0.5')] },
    { id: 'A-3', affected: [affects('npm', 'web', null)] },
    // 3.0.0 ends the same, but brings something new.
    {
      id: 'B-1',
      affected: [affects('npm', 'left', '3.0.0'), branches('left', { introduced: '0' }, { fixed: '3.1.0' })],
    },
    { id: 'B-2', affected: [branches('left', { introduced: '3.0.0' }, { fixed: '3.0.1' })] },
    { id: 'C-1', affected: [affects('npm', 'stuck', null)] },
    {
      id: 'DEBIAN-CVE-2026-1000',
      aliases: ['CVE-2026-1000'],
      affected: [affects('Debian:12', 'openssl', '3.0.15-1')],
    },
    {
      id: 'DEBIAN-CVE-2026-1001',
      aliases: ['CVE-2026-1001'],
      affected: [affects('Debian:12', 'openssl', '3.0.2-1')],
    },
    {
      id: 'GHSA-gone',
      aliases: ['CVE-2026-2000'],
      withdrawn: '2026-02-01T00:00:00Z',
      affected: [affects('npm', 'web', '9.0.0')],
    },
    { id: 'D-1', affected: [affects('npm', 'elsewhere', '1.0.0')] },
  ]);
});
afterAll(() => file.remove());

function scan(...purls: readonly string[]): ScanReport {
  const components = purls.map((purl) => ({ type: 'library', purl }));
  const sbom = { bomFormat: 'CycloneDX', specVersion: '1.6', components };
  return scanSbom(Buffer.from(JSON.stringify(sbom)), 'x.json', {
    advisories: file.advisories,
    clock: systemClock,
  });
}

const SSL = ['libssl3', 'openssl'].map(
  (name) => `pkg:deb/debian/${name}@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl`,
);

describe('upgrades', () => {
  it('names the nearest version that ends all, not the highest of the nearest', () => {
    const report = scan('pkg:npm/web@1.0.0');
    expect(new Set(report.findings.map(({ id, fixed }) => `${id} ${fixed}`))).toEqual(
      new Set(['A-1 1.2.5', 'A-2 2.0.5', 'A-3 null']),
    );
    expect(adviseUpgrades(report, file.advisories)).toEqual([
      {
        kind: 'npm',
        name: 'web',
        installed: '1.0.0',
        upgradeTo: '2.1.0',
        ends: ['A-1', 'A-2'],
        remain: ['A-3'],
      },
    ]);
  });

  it('avoids versions that bring new findings', () => {
    expect(adviseUpgrades(scan('pkg:npm/left@1.0.0'), file.advisories)[0]?.upgradeTo).toBe('3.1.0');
  });

  it('joins the packages of one source and says nothing where nothing helps', () => {
    const advice = adviseUpgrades(scan(...SSL, 'pkg:npm/stuck@1.0.0'), file.advisories);
    expect(advice.map(({ name, upgradeTo }) => [name, upgradeTo])).toEqual([['openssl', '3.0.15-1']]);
  });

  it('does not ask for an upgrade because of what is exempt', () => {
    const report = scan('pkg:npm/web@1.0.0');
    const findings = report.findings.map((finding) =>
      finding.id === 'A-2' ? { ...finding, state: 'exempt' as const } : finding,
    );
    expect(adviseUpgrades({ ...report, findings }, file.advisories)[0]?.upgradeTo).toBe('1.2.5');
  });
});

describe('explanation', () => {
  const explain = (id: string, ...purls: readonly string[]) =>
    explainFinding(id, scan(...purls), file.advisories);

  it('says what was compared with what, for every package of the source', () => {
    const { outcome, packages } = explain('cve-2026-1000', ...SSL);
    expect(outcome).toBe('applies');
    expect(packages.map((item) => item.package)).toEqual(['libssl3', 'openssl']);
    expect(packages[0]).toMatchObject({
      verdict: 'affected',
      advisory: 'DEBIAN-CVE-2026-1000',
      ecosystem: 'Debian:12',
      comparedName: 'openssl',
      comparedVersion: '3.0.11-1',
      ranges: ['< 3.0.15-1'],
      fixed: '3.0.15-1',
      path: 'x.json',
      finding: { id: 'CVE-2026-1000', state: 'open' },
    });
    expect(packages[0]?.scheme).toBe('dpkg');
  });

  it('explains a version that is not affected', () => {
    const { outcome, packages } = explain('CVE-2026-1001', ...SSL);
    expect(outcome).toBe('not-affected');
    expect(packages[0]).toMatchObject({ verdict: 'not-affected', ranges: ['< 3.0.2-1'], finding: null });
  });

  it('explains every other negative', () => {
    expect(explain('D-1', ...SSL).outcome).toBe('no-such-package');
    expect(explain('CVE-1999-0001', ...SSL).outcome).toBe('no-such-advisory');
    expect(explain('CVE-2026-2000', 'pkg:npm/web@1.0.0')).toMatchObject({
      outcome: 'withdrawn',
      advisories: [{ id: 'GHSA-gone', withdrawn: '2026-02-01T00:00:00.000Z' }],
      packages: [],
    });
    const headers = 'pkg:deb/debian/libssl-doc@3.0.11-1?arch=all&distro=debian-12&upstream=openssl';
    expect(explain('CVE-2026-1000', headers)).toMatchObject({
      outcome: 'not-affected',
      packages: [{ verdict: 'without-code' }],
    });
    expect(explain('A-1', 'pkg:npm/web@not-a-version').outcome).toBe('undecided');
  });

  it('says that a finding is exempt', () => {
    const report = scan(...SSL);
    const findings = report.findings.map((finding) => ({ ...finding, state: 'exempt' as const }));
    expect(explainFinding('CVE-2026-1000', { ...report, findings }, file.advisories).outcome).toBe('exempt');
  });
});
