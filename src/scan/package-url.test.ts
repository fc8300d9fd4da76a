// Package URLs against the examples of purl-spec and what its rules say.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageUrl } from './package-url.ts';
import type { CatalogedPackage, DistributionRelease } from './types.ts';

const DEBIAN: DistributionRelease = { id: 'debian', versionId: '12', prettyName: 'Debian' };
const ALPINE: DistributionRelease = { id: 'alpine', versionId: '3.20.3', prettyName: 'Alpine' };

describe('package URL', () => {
  it.each<[Partial<CatalogedPackage>, DistributionRelease | null, string]>([
    [
      { kind: 'dpkg', name: 'openssl', version: '3.0.11-1~deb12u2', architecture: 'amd64' },
      DEBIAN,
      'pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12',
    ],
    [
      { kind: 'dpkg', name: 'libstdc++6', version: '1:12.2.0-14+deb12u1' },
      DEBIAN,
      'pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?distro=debian-12',
    ],
    [{ kind: 'dpkg', name: 'a', version: '1' }, null, 'pkg:deb/a@1'],
    [
      { kind: 'apk', name: 'musl', version: '1.2.4_git20230717-r4', architecture: 'x86_64' },
      ALPINE,
      'pkg:apk/alpine/musl@1.2.4_git20230717-r4?arch=x86_64&distro=alpine-3.20.3',
    ],
    [
      { kind: 'rpm', name: 'openssl-libs', version: '1:3.0.7-27.el9', architecture: 'x86_64' },
      { id: 'rhel', versionId: '9.4', prettyName: 'RHEL' },
      'pkg:rpm/rhel/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=rhel-9.4&epoch=1',
    ],
    [{ kind: 'rpm', name: 'a', version: '2:1-1' }, null, 'pkg:rpm/a@1-1?epoch=2'],
    [{ kind: 'rpm', name: 'a', version: '1-1' }, null, 'pkg:rpm/a@1-1'],
    [
      { kind: 'npm', name: '@angular/animation', version: '12.3.1' },
      null,
      'pkg:npm/%40angular/animation@12.3.1',
    ],
    [{ kind: 'pypi', name: 'Django_Allauth', version: '12.23' }, null, 'pkg:pypi/django-allauth@12.23'],
    [
      { kind: 'golang', name: 'google.golang.org/genproto', version: 'v0.0.0-20200101' },
      null,
      'pkg:golang/google.golang.org/genproto@v0.0.0-20200101',
    ],
    [{ kind: 'golang', name: 'example.com/Main', version: '(devel)' }, null, 'pkg:golang/example.com/main'],
  ])('of %o', (item, distribution, expected) => {
    const whole: CatalogedPackage = { kind: 'npm', name: '', version: '', path: '', ...item };
    expect(packageUrl(whole, distribution)).toBe(expected);
  });

  it('holds nothing but the characters of a URL', () => {
    const kind = fc.constantFrom('dpkg', 'apk', 'npm', 'pypi', 'golang');
    fc.assert(
      fc.property(
        kind,
        fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)) }),
        fc.string(),
        (one, name, version) => {
          const purl = packageUrl({ kind: one, name, version, path: '' }, DEBIAN);
          expect(purl).toMatch(/^pkg:[a-z]+\/[A-Za-z0-9./~_%@:?&=-]*$/);
        },
      ),
    );
  });
});
