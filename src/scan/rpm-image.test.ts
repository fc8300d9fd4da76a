// Whole scans of images with RPM and Wolfi packages: databases of each form, updates in later layers, ownership, end of life.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryLayerCache } from './layer-cache.ts';
import { hashDatabase, ndbDatabase, rpmHeaderBlob, sqliteDatabase } from './packages/rpm/testing.ts';
import { scanImage } from './scan-image.ts';
import {
  affects,
  buildAdvisories,
  imageOf,
  memorySource,
  type TarEntry,
  type TestAdvisoryFile,
} from './testing.ts';
import type { ScanReport } from './types.ts';

const NOW = Date.parse('2026-01-15T00:00:00Z');

let file: TestAdvisoryFile;
beforeAll(async () => {
  file = await buildAdvisories([
    {
      id: 'ALSA-2024:1',
      aliases: ['CVE-2024-0001'],
      affected: [affects('AlmaLinux:9', 'openssl-libs', '1:3.0.7-27.el9')],
    },
    {
      id: 'GHSA-aaaa-bbbb-cccc',
      aliases: ['CVE-2024-0002'],
      affected: [affects('PyPI', 'requests', '2.31.0')],
    },
    {
      id: 'AZL-1',
      aliases: ['CVE-2024-0003'],
      affected: [affects('Azure Linux:3', 'bind', '0:9.20.1-1.azl3')],
    },
    { id: 'CGA-1', aliases: ['CVE-2024-0004'], affected: [affects('Wolfi', 'curl', '8.5.0-r1')] },
  ]);
});
afterAll(() => file.remove());

const release = (id: string, versionId: string, prettyName: string): TarEntry => ({
  path: 'etc/os-release',
  content: `ID=${id}\nVERSION_ID="${versionId}"\nPRETTY_NAME="${prettyName}"\n`,
});
const ALMA = release('almalinux', '9.4', 'AlmaLinux 9.4');
const METADATA = 'usr/lib/python3.9/site-packages/requests-2.25.1.dist-info/METADATA';
const REQUESTS: TarEntry = {
  path: METADATA,
  content: 'Metadata-Version: 2.1\nName: requests\nVersion: 2.25.1\n',
};

function headers(openssl: string): readonly Buffer[] {
  return [
    rpmHeaderBlob({
      name: 'openssl-libs',
      epoch: 1,
      version: '3.0.7',
      release: openssl,
      sourceRpm: `openssl-3.0.7-${openssl}.src.rpm`,
    }),
    rpmHeaderBlob({
      name: 'python3-requests',
      version: '2.25.1',
      release: '8.el9',
      files: [`/${METADATA}`, '/usr/lib/python3.9/site-packages/requests/api.py'],
    }),
  ];
}

async function scan(...layers: readonly (readonly TarEntry[])[]): Promise<ScanReport> {
  const clock = { now: () => NOW };
  const options = { advisories: file.advisories, cache: memoryLayerCache(), clock };
  const [report] = await scanImage(memorySource(imageOf(layers)), options);
  if (report === undefined) throw new Error('no report');
  return report;
}

const ids = ({ findings }: ScanReport): readonly string[] =>
  findings.map(({ id, package: name }) => `${name} ${id}`);

describe.each([
  ['Berkeley DB hash', 'var/lib/rpm/Packages', hashDatabase],
  ['NDB', 'usr/lib/sysimage/rpm/Packages.db', ndbDatabase],
  ['SQLite', 'var/lib/rpm/rpmdb.sqlite', sqliteDatabase],
] as const)('an image with an RPM database in %s form', (_name, path, database) => {
  const before = database(headers('25.el9'));
  const after = database(headers('27.el9'));

  it('has the database’s packages, and finds by binary name', async () => {
    const report = await scan([ALMA, { path, content: before }, REQUESTS]);
    expect(report.problems).toEqual([]);
    expect(report.packages.map(({ kind, name, ownedBy }) => [kind, name, ownedBy])).toEqual([
      ['pypi', 'requests', 'python3-requests'],
      ['rpm', 'openssl-libs', undefined],
      ['rpm', 'python3-requests', undefined],
    ]);
    expect(ids(report)).toEqual(['openssl-libs CVE-2024-0001']);
    expect(report.findings[0]).toMatchObject({
      installed: '1:3.0.7-25.el9',
      fixed: '1:3.0.7-27.el9',
      path,
      purl: 'pkg:rpm/almalinux/openssl-libs@3.0.7-25.el9?arch=x86_64&distro=almalinux-9.4&epoch=1',
    });
  });

  it('takes the database of the topmost layer', async () => {
    const report = await scan([ALMA, { path, content: before }, REQUESTS], [{ path, content: after }]);
    expect(ids(report)).toEqual([]);
    expect(report.packages.find(({ name }) => name === 'openssl-libs')).toMatchObject({ layer: 1 });
    expect(report.packages.find(({ kind }) => kind === 'pypi')).toMatchObject({
      ownedBy: 'python3-requests',
    });
  });

  it('has nothing of a database that a later layer removed', async () => {
    const whiteout = path.replace(/[^/]*$/, (name) => `.wh.${name}`);
    const report = await scan([ALMA, { path, content: before }, REQUESTS], [{ path: whiteout }]);
    expect(report.packages.map(({ kind }) => kind)).toEqual(['pypi']);
    expect(ids(report)).toEqual(['requests CVE-2024-0002']);
    expect(report.advisories.notices.join()).toContain('no package database');
  });
});

describe('images around RPM databases', () => {
  it('follow a database to the folder that replaced its own by a link', async () => {
    const report = await scan(
      [ALMA, { path: 'var/lib/rpm/rpmdb.sqlite', content: sqliteDatabase(headers('25.el9')) }],
      [
        { path: 'var/lib/rpm', type: 'symlink', link: '../../usr/lib/sysimage/rpm' },
        { path: 'usr/lib/sysimage/rpm/rpmdb.sqlite', content: sqliteDatabase(headers('27.el9')) },
      ],
    );
    expect(report.packages).toHaveLength(2);
    expect(ids(report)).toEqual([]);
  });

  it('say so when a database is damaged', async () => {
    const content = sqliteDatabase(headers('25.el9')).subarray(0, 9_000);
    const report = await scan([ALMA, { path: 'var/lib/rpm/rpmdb.sqlite', content }]);
    expect(report.problems).toMatchObject([
      { code: 'SCAN_UNREADABLE_METADATA', path: 'var/lib/rpm/rpmdb.sqlite' },
    ]);
  });

  it('read the list of distroless Azure Linux, by source names', async () => {
    const line =
      'bind-libs\t9.20.0-1.azl3\t1\t1\tMicrosoft Corporation\t(none)\t1\tx86_64\t0\tbind-9.20.0-1.azl3.src.rpm\n';
    const report = await scan([
      release('azurelinux', '3.0', 'Microsoft Azure Linux 3.0'),
      { path: 'var/lib/rpmmanifest/container-manifest-2', content: line },
    ]);
    expect(ids(report)).toEqual(['bind-libs CVE-2024-0003']);
    expect(report.distributionSupport?.status).toBe('unknown');
  });

  it('match Wolfi’s apk packages, which have no end of life', async () => {
    const installed = 'P:libcurl-openssl4\nV:8.5.0-r0\nA:x86_64\no:curl\nF:usr/lib\nR:libcurl.so.4\n\n';
    const report = await scan([
      release('wolfi', '20230201', 'Wolfi'),
      { path: 'usr/lib/apk/db/installed', content: installed },
    ]);
    expect(ids(report)).toEqual(['libcurl-openssl4 CVE-2024-0004']);
    expect(report.distributionSupport).toEqual({
      status: 'supported',
      supportedUntil: null,
      paidSupport: null,
    });
  });

  it('name the end of life of their distribution first', async () => {
    const content = hashDatabase(headers('1.el7'));
    const report = await scan([
      release('centos', '7', 'CentOS Linux 7 (Core)'),
      { path: 'var/lib/rpm/Packages', content },
    ]);
    expect(report.distributionSupport).toMatchObject({ status: 'endOfLife', supportedUntil: '2024-06-30' });
    expect(report.advisories.notices[0]).toMatch(
      /^CentOS Linux 7 \(Core\) reached end of life on 2024-06-30/,
    );
  });
});
