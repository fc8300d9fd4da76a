// Packages that rpmbuild makes at run time, installed into real databases: our list is the one of `rpm -qa`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { starterAdvisories } from '../../../advisories/index.ts';
import { scanDirectory } from '../../scan-directory.ts';
import { readRpmDatabase } from './database.ts';
import { catalogueRpm, ndbDatabase } from './testing.ts';

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const rpmbuild = has('rpmbuild') && has('rpm');
const dbLoad = spawnSync('db_load', ['-V']).status === 0;
const COUNT = 24;
const QUERY = [
  '%{NAME}',
  '%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}',
  '%{ARCH}',
  '%{SOURCERPM}',
  '%{LICENSE}',
];

interface Case {
  readonly name: string;
  readonly path: string;
  readonly folder: string;
  readonly backend: string;
}

let work = '';
let rpms: readonly string[] = [];

/** Random but plausible names and versions, so that no run is like the last. */
function specification(index: number): string {
  const random = (limit: number): number => Math.floor(Math.random() * limit);
  const epoch = random(3) === 0 ? `Epoch: ${1 + random(40)}\n` : '';
  const release = `${random(90)}${['.el9', '.module+el8.6.0+16311+3e5e17e9', '', '^git1'][random(4)]}`;
  const files = Array.from({ length: random(40) }, (_, file) => `/usr/lib/bw-${index}/data-${file}.txt`);
  return `Name: bw-${index}
${epoch}Version: ${random(20)}.${random(99)}${random(4) === 0 ? '~rc1' : ''}
Release: ${release}
Summary: test
License: MIT AND Zlib
BuildArch: noarch
%description
${'Words of a description. '.repeat(random(800))}
%install
mkdir -p %{buildroot}/usr/lib/bw-${index}
${files.map((file) => `echo x > %{buildroot}${file}`).join('\n')}
%files
${files.join('\n')}
`;
}

function rpm(folder: string, backend: string, ...rest: readonly string[]): string {
  return execFileSync('rpm', ['--dbpath', folder, '--define', `_db_backend ${backend}`, ...rest], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function listOf(folder: string, backend: string): readonly string[] {
  return rpm(folder, backend, '-qa', '--qf', `${QUERY.join('\\t')}\\n`)
    .trim()
    .split('\n')
    .toSorted();
}

function ownList(path: string, bytes: Buffer): readonly string[] {
  const { packages, problems } = catalogueRpm(path, bytes);
  expect(problems).toEqual([]);
  return packages
    .map(({ name, version, architecture, source, licenses }) => {
      const sourceFile = `${source?.name}-${source?.version.replace(/^\d+:/, '')}.src.rpm`;
      return [name, version, architecture, sourceFile, licenses?.join()].join('\t');
    })
    .toSorted();
}

/** Berkeley DB's own tool writes the database from the headers that rpm stored. */
function loadHash(headers: readonly Buffer[], folder: string): void {
  const hex = (bytes: Buffer): string => ` ${bytes.toString('hex')}`;
  const key = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const items = headers.flatMap((header, index) => [hex(key(index + 1)), hex(header)]);
  const lines = [
    'VERSION=3',
    'format=bytevalue',
    'type=hash',
    'HEADER=END',
    hex(key(0)),
    hex(key(99)),
    ...items,
  ];
  const file = join(folder, 'Packages');
  execFileSync('db_load', [file], { input: `${lines.join('\n')}\nDATA=END\n` });
}

function headersOf(file: string): readonly Buffer[] {
  const headers: Buffer[] = [];
  readRpmDatabase(readFileSync(file), { header: (blob) => headers.push(blob), damage: () => undefined });
  return headers;
}

describe.skipIf(!rpmbuild)('real RPM databases (needs rpm and rpmbuild)', () => {
  const sqlite = (): Case => ({
    name: 'SQLite',
    path: 'var/lib/rpm/rpmdb.sqlite',
    folder: join(work, 'sqlite'),
    backend: 'sqlite',
  });

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'breakwater-rpm-'));
    for (let index = 0; index < COUNT; index++)
      writeFileSync(join(work, `${index}.spec`), specification(index));
    const specs = Array.from({ length: COUNT }, (_, index) => join(work, `${index}.spec`));
    execFileSync('rpmbuild', ['-bb', '--quiet', '--define', `_topdir ${work}/top`, ...specs], {
      stdio: 'ignore',
    });
    const output = join(work, 'top/RPMS/noarch');
    rpms = readdirSync(output).map((file) => join(output, file));
    const { folder, backend } = sqlite();
    mkdirSync(folder);
    rpm(folder, backend, '-i', '--justdb', '--nodeps', '--noscripts', '--force-debian', ...rpms);
  }, 120_000);

  afterAll(() => {
    rmSync(work, { recursive: true, force: true });
  });

  it('SQLite, written by rpm', () => {
    const { folder, backend, path } = sqlite();
    const bytes = readFileSync(join(folder, 'rpmdb.sqlite'));
    expect(rpms).toHaveLength(COUNT);
    expect(ownList(path, bytes)).toEqual(listOf(folder, backend));
  });

  it('tells the owner of every file as rpm does', () => {
    const { folder, backend, path } = sqlite();
    const { owned } = catalogueRpm(path, readFileSync(join(folder, 'rpmdb.sqlite')));
    const expected = rpm(folder, backend, '-qa', '--qf', '[%{=NAME}\\t%{FILENAMES}\\n]').trim().split('\n');
    expect(owned.map(([owner, file]) => `${owner}\t/${file}`).toSorted()).toEqual(expected.toSorted());
  });

  it('SQLite, after packages were removed and others updated', () => {
    const { folder, backend, path } = sqlite();
    rpm(
      folder,
      backend,
      '-e',
      '--justdb',
      '--nodeps',
      '--noscripts',
      '--force-debian',
      'bw-1',
      'bw-7',
      'bw-20',
    );
    const list = ownList(path, readFileSync(join(folder, 'rpmdb.sqlite')));
    expect(list).toHaveLength(COUNT - 3);
    expect(list).toEqual(listOf(folder, backend));
  });

  it.skipIf(!dbLoad)('Berkeley DB hash, written by db_load and read by rpm too (needs db-util)', () => {
    const folder = join(work, 'hash');
    mkdirSync(folder);
    loadHash(headersOf(join(sqlite().folder, 'rpmdb.sqlite')), folder);
    const list = ownList('var/lib/rpm/Packages', readFileSync(join(folder, 'Packages')));
    expect(list.length).toBeGreaterThan(COUNT / 2);
    expect(list).toEqual(listOf(folder, 'bdb_ro'));
  });

  it('NDB, laid out by our writer around the headers that rpm stored', () => {
    const { folder, backend } = sqlite();
    const bytes = ndbDatabase(headersOf(join(folder, 'rpmdb.sqlite')));
    expect(ownList('usr/lib/sysimage/rpm/Packages.db', bytes)).toEqual(listOf(folder, backend));
  });

  it.skipIf(process.getuid?.() !== 0)('a root file system that rpm installed into (needs root)', async () => {
    const root = join(work, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(
      join(root, 'etc/os-release'),
      'ID=almalinux\nVERSION_ID=9.4\nPRETTY_NAME="AlmaLinux 9.4"\n',
    );
    const wheel = pythonPackage();
    const install = ['--root', root, '-i', '--nodeps', '--noscripts', '--force-debian'];
    rpm('/var/lib/rpm', 'sqlite', ...install, wheel, ...rpms.slice(0, 5));
    const loose = join(root, 'opt/loose-2.0.dist-info');
    mkdirSync(loose, { recursive: true });
    writeFileSync(join(loose, 'METADATA'), 'Metadata-Version: 2.1\nName: loose\nVersion: 2.0\n');

    const clock = { now: () => Date.UTC(2026, 0, 1) };
    const report = await scanDirectory(root, { advisories: starterAdvisories(), clock });
    expect(report.problems).toEqual([]);
    const listed = report.packages
      .filter(({ kind }) => kind === 'rpm')
      .map(({ name, version }) => `${name} ${version}`);
    const query = '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n';
    const expected = rpm('/var/lib/rpm', 'sqlite', '--root', root, '-qa', '--qf', query).trim().split('\n');
    expect(listed.toSorted()).toEqual(expected.toSorted());
    const python = report.packages.filter(({ kind }) => kind === 'pypi');
    expect(python.map(({ name, ownedBy }) => [name, ownedBy])).toEqual([
      ['loose', undefined],
      ['owned', 'python3-owned'],
    ]);
    expect(report.distributionSupport?.status).toBe('supported');
  });
});

/** A package that brings Python metadata, which is then the package's own. */
function pythonPackage(): string {
  const metadata = '/usr/lib/python3.9/site-packages/owned-1.0.dist-info';
  const specification = `Name: python3-owned
Version: 1.0
Release: 1
Summary: test
License: MIT
BuildArch: noarch
%description
test
%install
mkdir -p %{buildroot}${metadata}
printf 'Metadata-Version: 2.1\\nName: owned\\nVersion: 1.0\\n' > %{buildroot}${metadata}/METADATA
%files
${metadata}
`;
  const file = join(work, 'python.spec');
  writeFileSync(file, specification);
  execFileSync('rpmbuild', ['-bb', '--quiet', '--define', `_topdir ${work}/python`, file], {
    stdio: 'ignore',
  });
  return join(work, 'python/RPMS/noarch/python3-owned-1.0-1.noarch.rpm');
}
