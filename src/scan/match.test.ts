// Matching against real advisory files: sources, aliases, ownership, unknown versions, missing data.
import { afterEach, describe, expect, it } from 'vitest';
import { matchPackages, type MatchResult } from './match.ts';
import { affects, buildAdvisories, type TestAdvisory, type TestAdvisoryFile } from './testing.ts';
import type { DistributionRelease, ImagePackage } from './types.ts';

const DEBIAN: DistributionRelease = { id: 'debian', versionId: '12', prettyName: 'Debian 12' };

const open: TestAdvisoryFile[] = [];
afterEach(() => {
  for (const file of open.splice(0)) file.remove();
});

async function match(
  records: readonly TestAdvisory[],
  packages: readonly Partial<ImagePackage>[],
  distribution: DistributionRelease | null = DEBIAN,
): Promise<MatchResult> {
  const file = await buildAdvisories(records);
  open.push(file);
  const whole = packages.map((item): ImagePackage => {
    const base = { kind: 'npm', name: 'a', version: '1.0.0', purl: 'pkg:x', path: 'p', layer: 0 } as const;
    return { ...base, ...item };
  });
  return matchPackages(whole, distribution, file.advisories);
}

describe('matching', () => {
  it('asks for distribution packages by source name and source version', async () => {
    const record = {
      id: 'DEBIAN-CVE-2024-1111',
      upstream: ['CVE-2024-1111'],
      affected: [affects('Debian:12', 'openssl', '3.0.2-1')],
    };
    const found = await match(
      [record],
      [
        { kind: 'dpkg', name: 'libssl3', version: '9', source: { name: 'openssl', version: '3.0.1-1' } },
        {
          kind: 'dpkg',
          name: 'openssl',
          version: '3.0.2-1',
          source: { name: 'openssl', version: '3.0.2-1' },
        },
        {
          kind: 'dpkg',
          name: 'libssl-doc',
          version: '3.0.1-1',
          source: { name: 'openssl', version: '3.0.1-1' },
        },
      ],
    );
    expect(found.findings).toMatchObject([
      {
        id: 'CVE-2024-1111',
        advisory: 'DEBIAN-CVE-2024-1111',
        package: 'libssl3',
        installed: '9',
        fixed: '3.0.2-1',
        fixState: 'fixed',
        state: 'open',
      },
    ]);
  });

  it('carries what the vectors and the catalogue say of exploits into the finding', async () => {
    const vector = 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P';
    const record = {
      id: 'GHSA-aaaa-bbbb-cccc',
      severity: [{ type: 'CVSS_V4', score: vector }],
      affected: [affects('npm', 'a', '2.0.0')],
    };
    const { findings } = await match([record], [{}]);
    expect(findings).toMatchObject([
      { severity: 'high', severitySource: 'cvss4', cvssScore: 8.9, exploitMaturity: 'proof-of-concept' },
    ]);
    expect(findings[0]).not.toHaveProperty('kev');
  });

  it('does not give kernel headers the advisories of the kernel', async () => {
    const record = { id: 'DEBIAN-CVE-2024-2222', affected: [affects('Debian:12', 'linux', null)] };
    const source = { name: 'linux', version: '6.1.1' };
    const found = await match(
      [record],
      [
        { kind: 'dpkg', name: 'linux-libc-dev', version: '6.1.1', source },
        { kind: 'dpkg', name: 'linux-headers-6.1.0-1-amd64', version: '6.1.1', source },
        { kind: 'dpkg', name: 'linux-image-6.1.0-1-amd64', version: '6.1.1', source },
      ],
    );
    expect(found.findings.map((finding) => finding.package)).toEqual(['linux-image-6.1.0-1-amd64']);
  });

  it('makes one finding of one flaw under several ids, with every alias', async () => {
    const found = await match(
      [
        {
          id: 'GHSA-aaaa-bbbb-cccc',
          aliases: ['CVE-2021-3000'],
          summary: 'Traversal',
          database_specific: { severity: 'HIGH' },
          affected: [affects('PyPI', 'my-package', '2.0')],
        },
        {
          id: 'PYSEC-2021-1',
          aliases: ['GHSA-aaaa-bbbb-cccc'],
          affected: [affects('PyPI', 'my-package', '2.0')],
        },
        { id: 'PYSEC-2021-2', affected: [affects('PyPI', 'my-package', '3.0')] },
      ],
      [{ kind: 'pypi', name: 'My_Package', version: '1.5' }],
    );
    expect(
      found.findings.map(({ id, aliases, severity, title }) => ({ id, aliases, severity, title })),
    ).toEqual([
      {
        id: 'CVE-2021-3000',
        aliases: ['GHSA-aaaa-bbbb-cccc', 'PYSEC-2021-1'],
        severity: 'high',
        title: 'Traversal',
      },
      { id: 'PYSEC-2021-2', aliases: [], severity: 'unknown', title: 'PYSEC-2021-2' },
    ]);
  });

  it('does not join two flaws because one bulletin fixes both', async () => {
    const found = await match(
      [
        {
          id: 'DEBIAN-CVE-2024-1000',
          aliases: ['CVE-2024-1000'],
          affected: [affects('Debian:12', 's', '2')],
        },
        {
          id: 'DEBIAN-CVE-2024-2000',
          aliases: ['CVE-2024-2000'],
          affected: [affects('Debian:12', 's', '2')],
        },
        {
          id: 'DSA-1-1',
          aliases: ['CVE-2024-1000', 'CVE-2024-2000'],
          affected: [affects('Debian:12', 's', '2')],
        },
      ],
      [{ kind: 'dpkg', name: 's', version: '1' }],
    );
    expect(found.findings.map(({ id, aliases }) => [id, aliases])).toEqual([
      ['CVE-2024-1000', ['DEBIAN-CVE-2024-1000', 'DSA-1-1']],
      ['CVE-2024-2000', ['DEBIAN-CVE-2024-2000', 'DSA-1-1']],
    ]);
  });

  it('matches owned language packages through their owner only', async () => {
    const record = { id: 'PYSEC-1', affected: [affects('PyPI', 'six', null)] };
    const six = { kind: 'pypi', name: 'six', version: '1.0' } as const;
    expect((await match([record], [six])).findings).toHaveLength(1);
    expect((await match([record], [{ ...six, ownedBy: 'python3-six' }])).findings).toEqual([]);
  });

  it('matches Go modules and the toolchain', async () => {
    const found = await match(
      [
        { id: 'GO-2024-1', affected: [affects('Go', 'stdlib', '1.21.6')] },
        { id: 'GO-2024-2', affected: [affects('Go', 'golang.org/x/net', '0.17.0')] },
      ],
      [
        { kind: 'golang', name: 'stdlib', version: '1.21.5' },
        { kind: 'golang', name: 'stdlib', version: '1.22rc1' },
        { kind: 'golang', name: 'golang.org/x/net', version: 'v0.16.9' },
        { kind: 'golang', name: 'golang.org/x/net', version: 'v0.17.0' },
      ],
    );
    expect(found.findings.map(({ id, installed }) => [id, installed])).toEqual([
      ['GO-2024-1', '1.21.5'],
      ['GO-2024-2', 'v0.16.9'],
    ]);
  });

  it('says that an unknown version was not matched instead of calling it clean', async () => {
    const found = await match(
      [{ id: 'GO-1', affected: [affects('Go', 'example.com/a', '1.0.0')] }],
      [
        { kind: 'golang', name: 'example.com/a', version: '(devel)' },
        { kind: 'golang', name: 'example.com/b', version: '(devel)' },
      ],
    );
    expect(found.findings).toEqual([]);
    expect(found.problems).toMatchObject([{ code: 'SCAN_VERSION_UNKNOWN', path: 'p' }]);
  });

  it('says when there is no data for the distribution or the ecosystem', async () => {
    const records = [{ id: 'X-1', affected: [affects('Debian:12', 'a', null), affects('npm', 'a', '0.1')] }];
    const fedora = { id: 'fedora', versionId: '40', prettyName: 'Fedora 40' };
    const packages = [{ kind: 'dpkg', name: 'a' }, { kind: 'pypi' }, { kind: 'npm' }] as const;
    expect((await match(records, packages, fedora)).notices).toEqual([
      'no advisories for Fedora 40: its 1 dpkg packages are listed, not matched',
      'no advisories for PyPI: its 1 pypi packages are listed, not matched',
    ]);
    expect((await match(records, packages, null)).notices[0]).toContain('an unknown distribution');
    expect((await match(records, [{ kind: 'npm' }])).notices).toEqual([]);
  });

  it('keeps what Debian calls unimportant as informational, and says what will not be fixed', async () => {
    const entry = (urgency: string): TestAdvisory['affected'][number] => ({
      ...affects('Debian:12', 'a', null),
      ecosystem_specific: { urgency },
    });
    const found = await match(
      [
        { id: 'DEBIAN-CVE-2024-3000', affected: [entry('unimportant')] },
        { id: 'DEBIAN-CVE-2024-4000', affected: [entry('end-of-life')] },
      ],
      [{ kind: 'dpkg', name: 'a', version: '1' }],
    );
    expect(found.findings.map(({ severity, fixState, fixed }) => [severity, fixState, fixed])).toEqual([
      ['informational', 'not-fixed', null],
      ['unknown', 'will-not-fix', null],
    ]);
  });

  it('ignores withdrawn advisories', async () => {
    const record = { id: 'GHSA-1', withdrawn: '2026-01-01T00:00:00Z', affected: [affects('npm', 'a', null)] };
    expect(
      (await match([record, { id: 'Z', affected: [affects('npm', 'b', null)] }], [{}])).findings,
    ).toEqual([]);
  });
});
