// apk's installed database: packages, origins, owned files, malformed blocks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { apk } from './apk.ts';

const INSTALLED = 'lib/apk/db/installed';

const DATABASE = `C:Q1abcdef=
P:ssl_client
V:1.36.1-r15
A:x86_64
S:4771
T:EXternal ssl_client for busybox wget
L:GPL-2.0-only
o:busybox
F:usr
F:usr/bin
R:ssl_client
a:0:0:755

P:musl
V:1.2.4_git20230717-r4
A:x86_64
o:musl
F:
R:top
`;

describe('apk', () => {
  it('reads packages with origin, licence and owned files', () => {
    const { packages, owned, problems } = catalogFile(apk, INSTALLED, DATABASE);
    expect(problems).toEqual([]);
    expect(packages).toEqual([
      {
        kind: 'apk',
        name: 'ssl_client',
        version: '1.36.1-r15',
        source: { name: 'busybox', version: '1.36.1-r15' },
        architecture: 'x86_64',
        licenses: ['GPL-2.0-only'],
        path: INSTALLED,
      },
      {
        kind: 'apk',
        name: 'musl',
        version: '1.2.4_git20230717-r4',
        source: { name: 'musl', version: '1.2.4_git20230717-r4' },
        architecture: 'x86_64',
        path: INSTALLED,
      },
    ]);
    expect([...owned]).toEqual([
      ['usr/bin/ssl_client', 'ssl_client'],
      ['top', 'musl'],
    ]);
  });

  it('reads the database below usr/ too, and nothing else', () => {
    expect(apk.matches('usr/lib/apk/db/installed')).toBe(true);
    expect(apk.matches('lib/apk/db/scripts.tar')).toBe(false);
  });

  it('says what it could not read and keeps the rest', () => {
    const { packages, problems } = catalogFile(apk, INSTALLED, 'P:nothing\n\ngarbage\nP:a\nV:1\n');
    expect(packages.map((item) => item.name)).toEqual(['a']);
    expect(problems).toEqual([
      '1 entries have no usable package name and version, one of them "nothing"',
      '1 lines are not "X:value"',
    ]);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void catalogFile(apk, INSTALLED, bytes)),
    );
    const line = fc.oneof(
      fc.constantFrom('P:a', 'V:1', 'o:', 'F:/x', 'R:y', 'F:', '', ':', 'P:'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const item of catalogFile(apk, INSTALLED, lines.join('\n')).packages) {
          expect(item.name + item.version).toMatch(/^[^\s\p{Cc}]+$/u);
        }
      }),
    );
  });
});
