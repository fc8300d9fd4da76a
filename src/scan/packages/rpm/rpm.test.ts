// RPM databases of every form, their damage, and the distroless package list.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rpm } from './rpm.ts';
import {
  catalogueRpm,
  hashDatabase,
  ndbDatabase,
  rpmHeaderBlob,
  sqliteDatabase,
  type TestHeader,
} from './testing.ts';

const HEADERS: readonly TestHeader[] = [
  {
    name: 'openssl-libs',
    epoch: 1,
    version: '3.0.7',
    release: '27.el9',
    sourceRpm: 'openssl-3.0.7-27.el9.src.rpm',
    license: 'ASL 2.0',
    files: ['/usr/lib64/libssl.so.3', '/etc/pki/tls/openssl.cnf', '/usr/lib64/libcrypto.so.3'],
  },
  {
    name: 'nodejs',
    epoch: 0,
    version: '18.20.2',
    release: '1.module+el9.4.0+21742+692df1ea',
    architecture: 'aarch64',
    sourceRpm: 'nodejs-18.20.2-1.module+el9.4.0+21742+692df1ea.src.rpm',
    moduleLabel: 'nodejs:18:9040020240430:rhel9',
    files: Array.from({ length: 2_000 }, (_, index) => `/usr/lib/node_modules/npm/lib/file-${index}.js`),
  },
  { name: 'local-tool', version: '1~rc1', release: '1^git' },
  { name: 'gpg-pubkey', version: 'fd431d51', release: '4ae0493b' },
];

const EXPECTED = [
  {
    kind: 'rpm',
    name: 'openssl-libs',
    version: '1:3.0.7-27.el9',
    source: { name: 'openssl', version: '1:3.0.7-27.el9' },
    architecture: 'x86_64',
    licenses: ['ASL 2.0'],
  },
  {
    kind: 'rpm',
    name: 'nodejs',
    version: '18.20.2-1.module+el9.4.0+21742+692df1ea',
    source: { name: 'nodejs', version: '18.20.2-1.module+el9.4.0+21742+692df1ea' },
    architecture: 'aarch64',
    detail: { module: 'nodejs:18' },
  },
  {
    kind: 'rpm',
    name: 'local-tool',
    version: '1~rc1-1^git',
    source: { name: 'local-tool', version: '1~rc1-1^git' },
    architecture: 'x86_64',
  },
];

const BLOBS = HEADERS.map(rpmHeaderBlob);
const FORMS: readonly (readonly [string, string, Buffer])[] = [
  ['Berkeley DB hash', 'var/lib/rpm/Packages', hashDatabase(BLOBS)],
  ['Berkeley DB hash of a big-endian machine', 'var/lib/rpm/Packages', hashDatabase(BLOBS, true)],
  ['NDB', 'usr/lib/sysimage/rpm/Packages.db', ndbDatabase(BLOBS)],
  ['SQLite', 'usr/lib/sysimage/rpm/rpmdb.sqlite', sqliteDatabase(BLOBS)],
  ['SQLite with the smallest pages', 'usr/share/rpm/rpmdb.sqlite', sqliteDatabase(BLOBS, 512)],
  ['SQLite with the largest pages', 'var/lib/rpm/rpmdb.sqlite', sqliteDatabase(BLOBS, 65_536)],
];

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;

describe.each(FORMS)('an RPM database in %s form', (_name, path, bytes) => {
  it('gives every package but the keys, and the owners of their files', () => {
    expect(rpm.matches(path)).toBe(true);
    const { packages, owned, problems } = catalogueRpm(path, bytes);
    expect(packages.toSorted(byName)).toEqual(EXPECTED.toSorted(byName));
    expect(problems).toEqual([]);
    expect(owned).toHaveLength(2_003);
    expect(owned).toContainEqual(['openssl-libs', 'etc/pki/tls/openssl.cnf']);
    expect(owned).toContainEqual(['nodejs', 'usr/lib/node_modules/npm/lib/file-1999.js']);
  });

  it('says what is missing when the file is cut short', () => {
    const { packages, problems } = catalogueRpm(path, bytes.subarray(0, Math.floor(bytes.length * 0.5)));
    expect(packages.length).toBeLessThan(EXPECTED.length);
    expect(problems).toHaveLength(1);
  });

  it('survives any damage in bounded time', () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [at, values] of changes) damaged.set(values.slice(0, damaged.length - at), at);
        const { packages } = catalogueRpm(path, damaged);
        expect(packages.length).toBeLessThan(20_000);
      }),
      { numRuns: 120 },
    );
  });

  it('survives damage of its first page, which rules the rest', () => {
    const change = fc.tuple(fc.nat(Math.min(bytes.length, 1_024) - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of changes) damaged[at] = value;
        catalogueRpm(path, damaged);
      }),
      { numRuns: 120 },
    );
  });
});

describe('a file in a database’s place', () => {
  it('is named as what it is not', () => {
    expect(catalogueRpm('var/lib/rpm/Packages', Buffer.from('no database, whatever its name says'))).toEqual({
      packages: [],
      owned: [],
      problems: ['it is no RPM database in Berkeley DB hash, NDB or SQLite form'],
    });
  });

  it('may be empty, as rpm leaves it', () => {
    expect(catalogueRpm('var/lib/rpm/Packages', Buffer.alloc(0)).problems).toEqual([]);
  });

  it('ends on any bytes', () => {
    const magic = fc.constantFrom('SQLite format 3\0', 'RpmP\0\0\0\0', '', '............\x61\x15\x06\0');
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 3_000 }), (start, rest) => {
        catalogueRpm('var/lib/rpm/Packages', Buffer.concat([Buffer.from(start, 'latin1'), rest]));
      }),
      { numRuns: 500 },
    );
  });

  it('does not multiply what overlapping rows point to', () => {
    const bytes = sqliteDatabase(
      [rpmHeaderBlob({ ...HEADERS[0], name: 'a', version: '1', release: '1' })],
      65_536,
    );
    const page = bytes.length / 65_536 - 1;
    // Every cell pointer of the last leaf is made to point at the one row.
    const start = [...Array(page + 1).keys()]
      .map((index) => index * 65_536)
      .find((at) => bytes[at] === 0x0d && bytes.readUInt16BE(at + 3) === 1);
    if (start === undefined) throw new Error('no leaf with one row');
    const cell = bytes.readUInt16BE(start + 8);
    const count = Math.floor((cell - 8) / 2);
    bytes.writeUInt16BE(count, start + 3);
    for (let index = 0; index < count; index++) bytes.writeUInt16BE(cell, start + 8 + index * 2);
    const { packages, problems } = catalogueRpm('var/lib/rpm/rpmdb.sqlite', bytes);
    expect(packages.length).toBeLessThan(2_000);
    expect(problems).toHaveLength(1);
  });
});

describe('the write-ahead log', () => {
  it('is a problem only when it holds something', () => {
    expect(catalogueRpm('var/lib/rpm/rpmdb.sqlite-wal', Buffer.alloc(0)).problems).toEqual([]);
    expect(catalogueRpm('var/lib/rpm/rpmdb.sqlite-wal', Buffer.alloc(32)).problems).toHaveLength(1);
  });
});

describe('the distroless package list', () => {
  const path = 'var/lib/rpmmanifest/container-manifest-2';

  it('gives the packages of Azure Linux images', () => {
    const lines = [
      'openssl\t3.3.0-2.azl3\t1717000000\t1716000000\tMicrosoft Corporation\t(none)\t1234\tx86_64\t0\topenssl-3.3.0-2.azl3.src.rpm',
      'bind-utils\t9.20.0-1.azl3\t1\t1\tMicrosoft Corporation\t(none)\t1\tx86_64\t32\tbind-9.20.0-1.azl3.src.rpm',
      'half a line\t1',
      '',
    ];
    const { packages, problems } = catalogueRpm(path, Buffer.from(lines.join('\n')));
    expect(packages).toEqual([
      {
        kind: 'rpm',
        name: 'openssl',
        version: '3.3.0-2.azl3',
        source: { name: 'openssl', version: '3.3.0-2.azl3' },
        architecture: 'x86_64',
      },
      {
        kind: 'rpm',
        name: 'bind-utils',
        version: '32:9.20.0-1.azl3',
        source: { name: 'bind', version: '32:9.20.0-1.azl3' },
        architecture: 'x86_64',
      },
    ]);
    expect(problems).toEqual(['1 lines are no packages, one of them "half a line�1"']);
  });

  it('ends on any text', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void catalogueRpm(path, Buffer.from(bytes))));
  });
});
