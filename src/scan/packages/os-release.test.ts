// os-release: quoting, missing fields, malformed files.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { osRelease } from './os-release.ts';

const PATH = 'etc/os-release';

describe('os-release', () => {
  it('reads quoted and unquoted values', () => {
    const text = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID='12'\n# comment\nID=debian\n`;
    expect(catalogFile(osRelease, PATH, text).releases).toEqual([
      { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    ]);
  });

  it('has no version for rolling releases', () => {
    expect(catalogFile(osRelease, PATH, 'NAME="Arch \\"x\\""\nID=arch').releases).toEqual([
      { id: 'arch', versionId: null, prettyName: 'Arch "x"' },
    ]);
  });

  it('says something of every file, and never throws', () => {
    const line = fc.oneof(fc.constantFrom('ID=debian', 'ID="x', 'VERSION_ID=1', 'ID=../..'), fc.string());
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { releases, problems } = catalogFile(osRelease, PATH, lines.join('\n'));
        expect(releases.length + problems.length).toBe(1);
        expect(releases.every((release) => /^[a-z0-9._-]+$/.test(release.id))).toBe(true);
      }),
    );
  });
});
