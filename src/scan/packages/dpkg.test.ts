// dpkg's status and file lists: states, sources, distroless, malformed stanzas.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { dpkg } from './dpkg.ts';

const STATUS = 'var/lib/dpkg/status';

describe('dpkg', () => {
  it('reads installed packages with their source', () => {
    const { packages, problems } = catalogFile(
      dpkg,
      STATUS,
      `Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11-1)
Version: 3.0.11-1~deb12u2
Description: library
 with a second line: and a colon
 .

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b7
Source: bash
`,
    );
    expect(problems).toEqual([]);
    expect(packages).toEqual([
      {
        kind: 'dpkg',
        name: 'libssl3',
        version: '3.0.11-1~deb12u2',
        source: { name: 'openssl', version: '3.0.11-1' },
        architecture: 'amd64',
        path: STATUS,
      },
      {
        kind: 'dpkg',
        name: 'bash',
        version: '5.2.15-2+b7',
        source: { name: 'bash', version: '5.2.15-2+b7' },
        architecture: 'amd64',
        path: STATUS,
      },
    ]);
  });

  it.each([
    ['install ok installed', 1],
    ['hold ok installed', 1],
    ['install ok unpacked', 1],
    ['install ok half-configured', 1],
    ['install ok triggers-pending', 1],
    ['deinstall ok config-files', 0],
    ['purge ok not-installed', 0],
  ])('takes %s as %i package', (status, count) => {
    const text = `Package: a\nStatus: ${status}\nVersion: 1\n`;
    expect(catalogFile(dpkg, STATUS, text).packages).toHaveLength(count);
  });

  it('reads the files of distroless images, which have no Status', () => {
    const found = catalogFile(dpkg, 'var/lib/dpkg/status.d/base', 'Package: base-files\nVersion: 12\n');
    expect(found.packages.map((item) => item.name)).toEqual(['base-files']);
    const sums = catalogFile(
      dpkg,
      'var/lib/dpkg/status.d/base.md5sums',
      'd41d8cd98f00b204e9800998ecf8427e  usr/share/x\n0cc175b9c0f1b6a831c399e269772661  ./etc/y\n',
    );
    expect(sums.packages).toEqual([]);
    expect([...sums.owned]).toEqual([
      ['usr/share/x', 'base'],
      ['./etc/y', 'base'],
    ]);
  });

  it('reads file lists without the architecture in the name of the owner', () => {
    const { owned } = catalogFile(dpkg, 'var/lib/dpkg/info/libssl3:amd64.list', '/.\n/usr\n/usr/lib/x.so\n');
    expect([...owned]).toEqual([
      ['.', 'libssl3'],
      ['usr', 'libssl3'],
      ['usr/lib/x.so', 'libssl3'],
    ]);
  });

  it('says what it could not read and keeps the rest', () => {
    const { packages, problems } = catalogFile(
      dpkg,
      STATUS,
      'Package: broken\nStatus: install ok installed\n\nno colon here\nPackage: a\nVersion: 1\n\nVersion: 2\n',
    );
    expect(packages.map((item) => item.name)).toEqual(['a']);
    expect(problems).toEqual([
      '2 entries have no usable package name and version, one of them "broken"',
      '1 lines are not "Field: value"',
    ]);
  });

  it('looks at no other files', () => {
    for (const path of ['var/lib/dpkg/status-old', 'var/lib/dpkg/info/a.md5sums', 'x/var/lib/dpkg/status']) {
      expect(dpkg.matches(path), path).toBe(false);
    }
  });

  it('never throws and never yields an unprintable name, whatever the bytes', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'Package: a',
        'Version: 1',
        'Status: install ok installed',
        'Source: s (2)',
        'Source: (',
        '',
        ' x',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        for (const item of catalogFile(dpkg, STATUS, lines.join('\n')).packages) {
          expect(item.name + item.version).toMatch(/^[^\s\p{Cc}]+$/u);
        }
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void catalogFile(dpkg, STATUS, bytes)),
    );
  });

  it('reads back every database it is given', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,20}$/);
    const version = fc.stringMatching(/^[0-9][A-Za-z0-9.+~:-]{0,20}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, version), { maxLength: 30 }), (entries) => {
        const text = entries.map(([a, b]) => `Package: ${a}\nStatus: install ok installed\nVersion: ${b}\n`);
        const { packages, problems } = catalogFile(dpkg, STATUS, text.join('\n'));
        expect(packages.map((item) => [item.name, item.version])).toEqual(entries);
        expect(problems).toEqual([]);
      }),
    );
  });
});
