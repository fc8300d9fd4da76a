// RPM errata: names, epochs, module streams, bulletins without flaws; and fixes for subscribers.
import { afterEach, describe, expect, it } from 'vitest';
import { matchPackages, type MatchResult } from './match.ts';
import { affects, buildAdvisories, type TestAdvisory, type TestAdvisoryFile } from './testing.ts';
import type { DistributionRelease, ImagePackage } from './types.ts';

const open: TestAdvisoryFile[] = [];
afterEach(() => {
  for (const file of open.splice(0)) file.remove();
});

const distribution = (id: string, versionId: string): DistributionRelease => ({
  id,
  versionId,
  prettyName: id,
});

async function match(
  records: readonly TestAdvisory[],
  release: DistributionRelease,
  ...packages: readonly Partial<ImagePackage>[]
): Promise<MatchResult> {
  const file = await buildAdvisories(records);
  open.push(file);
  const whole = packages.map((item): ImagePackage => {
    const base = {
      kind: 'rpm',
      name: 'a',
      version: '1-1',
      purl: 'pkg:x',
      path: 'var/lib/rpm/Packages',
      layer: 0,
    };
    return { ...base, kind: 'rpm', ...item };
  });
  return matchPackages(whole, release, file.advisories);
}

const idsOf = ({ findings }: MatchResult): readonly string[] =>
  findings.map(({ id, package: name }) => `${name} ${id}`);

describe('names and epochs of RPM advisories', () => {
  const openssl = (version: string): Partial<ImagePackage> => ({
    name: 'openssl-libs',
    version,
    source: { name: 'openssl', version },
  });

  it('are binary ones for AlmaLinux, source ones for Rocky Linux', async () => {
    const alma = {
      id: 'ALSA-1',
      upstream: ['CVE-2024-0001'],
      affected: [affects('AlmaLinux:9', 'openssl-libs', '1:3.0.7-27.el9')],
    };
    const rocky = {
      id: 'RLSA-1',
      upstream: ['CVE-2024-0002'],
      affected: [affects('Rocky Linux:9', 'openssl', '1:3.0.7-27.el9')],
    };
    const records = [alma, rocky];
    expect(idsOf(await match(records, distribution('almalinux', '9.4'), openssl('1:3.0.7-25.el9')))).toEqual([
      'openssl-libs CVE-2024-0001',
    ]);
    expect(idsOf(await match(records, distribution('rocky', '9.4'), openssl('1:3.0.7-25.el9')))).toEqual([
      'openssl-libs CVE-2024-0002',
    ]);
    expect(idsOf(await match(records, distribution('rocky', '9.4'), openssl('1:3.0.7-27.el9')))).toEqual([]);
  });

  it('compares an epoch of 0 as none, and any other as itself', async () => {
    const record = {
      id: 'AZL-1',
      upstream: ['CVE-2024-0003'],
      affected: [affects('Azure Linux:3', 'openssl', '0:3.3.0-2.azl3')],
    };
    const azure = distribution('azurelinux', '3.0');
    expect((await match([record], azure, openssl('3.3.0-1.azl3'))).findings).toHaveLength(1);
    expect((await match([record], azure, openssl('3.3.0-2.azl3'))).findings).toHaveLength(0);
    expect((await match([record], azure, openssl('1:1.0-1.azl3'))).findings).toHaveLength(0);
  });

  it('leaves the epoch out where SUSE does', async () => {
    const record = {
      id: 'openSUSE-SU-1',
      upstream: ['CVE-2024-0004'],
      affected: [affects('openSUSE:Leap 15.6', 'openssl', '3.1.4-2')],
    };
    expect(
      (await match([record], distribution('opensuse-leap', '15.6'), openssl('1:3.1.4-1'))).findings,
    ).toHaveLength(1);
    expect(
      (await match([record], distribution('opensuse-leap', '15.6'), openssl('1:3.1.4-2'))).findings,
    ).toHaveLength(0);
  });
});

describe('module streams', () => {
  const RHEL = distribution('rhel', '8.10');
  const STREAM_8 = 'Red Hat:enterprise_linux:8::appstream';
  const erratum = (stream: string, cve: string, fixed: string): TestAdvisory => ({
    id: `RHSA-2024:${cve.slice(-4)}`,
    summary: `Red Hat Security Advisory: ${stream} security update`,
    aliases: [cve],
    affected: [affects(STREAM_8, 'nodejs', fixed)],
  });
  const records = [
    erratum('nodejs:16', 'CVE-2024-1016', '1:16.20.2-3.module+el8.8.0+19898+ab99ba34'),
    erratum('nodejs:18', 'CVE-2024-1018', '1:18.20.2-1.module+el8.9.0+21767+537f34ee'),
    erratum('nodejs', 'CVE-2024-1000', '1:20.0.0-1.module+el8.9.0+21767+537f34ee'),
  ];
  const installed = { name: 'nodejs', version: '1:16.14.0-4.module+el8.6.0+14999+9fe0ce48' };

  it('are compared with themselves only; errata that name none are not decided', async () => {
    const result = await match(records, RHEL, { ...installed, detail: { module: 'nodejs:16' } });
    expect(idsOf(result)).toEqual(['nodejs CVE-2024-1016']);
    expect(result.problems).toMatchObject([{ code: 'SCAN_VERSION_UNKNOWN' }]);
    expect(result.problems[0]?.message).toContain('1 advisories');
  });

  it('are not decided when the database does not tell the stream', async () => {
    const result = await match(records, RHEL, installed);
    expect(result.findings).toEqual([]);
    expect(result.problems[0]?.message).toContain('3 advisories');
  });

  it('do not concern packages outside of modules, nor the other way round', async () => {
    expect(idsOf(await match(records, RHEL, { name: 'nodejs', version: '1:10.1.0-1.el8' }))).toEqual([]);
    const plain = erratum('nodejs', 'CVE-2024-1999', '1:99-1.el8');
    expect(idsOf(await match([plain], RHEL, { ...installed, detail: { module: 'nodejs:16' } }))).toEqual([]);
    expect(idsOf(await match([plain], RHEL, { name: 'nodejs', version: '1:10.1.0-1.el8' }))).toEqual([
      'nodejs CVE-2024-1999',
    ]);
  });
});

describe('minor releases', () => {
  const RHEL = distribution('rhel', '9.2');
  const BASE = 'Red Hat:enterprise_linux:9::baseos';
  const records = [
    {
      id: 'RHSA-2023:5763',
      aliases: ['CVE-2023-38545'],
      affected: [affects(BASE, 'curl', '0:7.76.1-23.el9_2.4')],
    },
    {
      id: 'RHSA-2023:6745',
      aliases: ['CVE-2023-38545', 'CVE-2023-38546'],
      affected: [affects(BASE, 'curl', '0:7.76.1-26.el9_3.2')],
    },
  ];
  const curl = async (version: string): Promise<readonly string[]> =>
    idsOf(await match(records, RHEL, { name: 'curl', version }));

  it('are repaired by their own erratum, as far as it goes', async () => {
    expect(await curl('7.76.1-23.el9_2.2')).toEqual(['curl CVE-2023-38545', 'curl CVE-2023-38546']);
    expect(await curl('7.76.1-23.el9_2.4')).toEqual(['curl CVE-2023-38546']);
    expect(await curl('7.76.1-26.el9_3.1')).toEqual(['curl CVE-2023-38545', 'curl CVE-2023-38546']);
    expect(await curl('7.76.1-26.el9_3.2')).toEqual([]);
  });
});

describe('errata', () => {
  it('that name no flaw are updates, not findings', async () => {
    const records = [
      { id: 'ALBA-2024:1', affected: [affects('AlmaLinux:9', 'bash', '5.2-1.el9')] },
      {
        id: 'ALBA-2024:2',
        upstream: ['CVE-2024-2002'],
        affected: [affects('AlmaLinux:9', 'bash', '5.2-1.el9')],
      },
      { id: 'ALSA-2024:3', affected: [affects('AlmaLinux:9', 'bash', '5.2-1.el9')] },
    ];
    const result = await match(records, distribution('almalinux', '9'), {
      name: 'bash',
      version: '5.1-1.el9',
    });
    expect(idsOf(result).toSorted()).toEqual(['bash ALSA-2024:3', 'bash CVE-2024-2002']);
  });

  it('of the source do not concern kernel headers and empty packages', async () => {
    const record = {
      id: 'RLSA-9',
      upstream: ['CVE-2024-9'],
      affected: [affects('Rocky Linux:9', 'kernel', '5.14.0-500.el9')],
    };
    const source = { name: 'kernel', version: '5.14.0-400.el9' };
    const [headers, core] = ['kernel-headers', 'kernel-core'].map((name) => ({
      name,
      version: source.version,
      source,
    }));
    const result = await match([record], distribution('rocky', '9'), headers ?? {}, core ?? {});
    expect(result.findings.map(({ package: name }) => name)).toEqual(['kernel-core']);
  });
});

describe('fixes for subscribers', () => {
  const UBUNTU = distribution('ubuntu', '20.04');
  const record = (...affected: TestAdvisory['affected']): TestAdvisory => ({
    id: 'UBUNTU-CVE-2024-7777',
    aliases: ['CVE-2024-7777'],
    affected,
  });
  const openForAll = affects('Ubuntu:20.04:LTS', 'zlib', null);
  const pro = affects('Ubuntu:Pro:20.04:LTS', 'zlib', '1.2-3ubuntu1+esm2');
  const zlib = (version: string): Partial<ImagePackage> => ({
    kind: 'dpkg',
    name: 'zlib1g',
    version,
    source: { name: 'zlib', version },
  });

  it('count where there is no other, with what they need', async () => {
    const result = await match([record(openForAll, pro)], UBUNTU, zlib('1.2-3ubuntu1'));
    expect(result.findings).toMatchObject([
      {
        fixed: '1.2-3ubuntu1+esm2',
        fixState: 'fixed',
        range: '< 1.2-3ubuntu1+esm2 (the fix needs Ubuntu Pro)',
      },
    ]);
    expect(result.notices).toContain('1 findings have a fix for subscribers of Ubuntu Pro only');
  });

  it('give way to a fix for all', async () => {
    const free = affects('Ubuntu:20.04:LTS', 'zlib', '1.2-3ubuntu1.1');
    const result = await match([record(free, pro)], UBUNTU, zlib('1.2-3ubuntu1'));
    expect(result.findings).toMatchObject([{ fixed: '1.2-3ubuntu1.1', range: '< 1.2-3ubuntu1.1' }]);
    expect(result.notices.join()).not.toContain('Ubuntu Pro');
  });

  it('do not concern what has the fix for all', async () => {
    const free = affects('Ubuntu:20.04:LTS', 'zlib', '1.2-3ubuntu1');
    const openForSubscribers = affects('Ubuntu:Pro:20.04:LTS', 'zlib', null);
    expect((await match([record(free, openForSubscribers)], UBUNTU, zlib('1.2-3ubuntu1'))).findings).toEqual(
      [],
    );
    expect((await match([record(openForSubscribers)], UBUNTU, zlib('1.2-3ubuntu1'))).findings).toHaveLength(
      1,
    );
  });

  it('end the finding when they are installed', async () => {
    expect((await match([record(openForAll, pro)], UBUNTU, zlib('1.2-3ubuntu1+esm2'))).findings).toEqual([]);
    expect((await match([record(openForAll)], UBUNTU, zlib('1.2-3ubuntu1+esm2'))).findings).toHaveLength(1);
  });
});
