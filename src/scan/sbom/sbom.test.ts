// SBOMs of other tools: which packages, sources, owners and release they tell; foreign bytes never crash the reader.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanErrors } from '../errors.ts';
import { matchesPackage, parsePackageUrl } from './package-url-reader.ts';
import { parseSbom } from './scan-sbom.ts';

const parse = (value: unknown) => parseSbom(Buffer.from(JSON.stringify(value)), 'x.json');

describe('package URLs', () => {
  it.each([
    ['pkg:npm/%40angular/core@17.0.0', 'npm', '@angular', 'core', '17.0.0'],
    ['pkg:npm/@angular/core@17.0.0', 'npm', '@angular', 'core', '17.0.0'],
    ['pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64', 'deb', 'debian', 'libc6', '2.36-9+deb12u4'],
    ['pkg:golang/github.com/a/b/v2@v2.0.0#sub/path', 'golang', 'github.com/a/b', 'v2', 'v2.0.0'],
    ['pkg:maven/org.a/b', 'maven', 'org.a', 'b', null],
    ['pkg://oci/app@sha256%3Aab?tag=1', 'oci', '', 'app', 'sha256:ab'],
  ])('%s', (text, type, namespace, name, version) => {
    expect(parsePackageUrl(text)).toMatchObject({ type, namespace, name, version });
  });

  it.each([
    '',
    'pkg:',
    'pkg:npm',
    'pkg:npm/',
    'npm/a@1',
    'pkg:npm/%zz@1',
    'pkg:1npm/a',
    `pkg:npm/${'a'.repeat(5_000)}`,
  ])('refuses %j', (text) => expect(parsePackageUrl(text)).toBeUndefined());

  it('reads anything without throwing, and every package is itself', () => {
    fc.assert(
      fc.property(
        fc.string().map((text) => `pkg:npm/${text}`),
        (text) => {
          parsePackageUrl(text);
          return matchesPackage(text, text, null);
        },
      ),
    );
  });
});

describe('CycloneDX of other tools', () => {
  it('reads names, sources, owners and nested components', () => {
    const trivy = [
      ['aquasecurity:trivy:SrcName', 'openssl'],
      ['aquasecurity:trivy:SrcVersion', '3.0.11'],
      ['aquasecurity:trivy:SrcRelease', '1'],
      ['aquasecurity:trivy:SrcEpoch', '2'],
    ].map(([name, value]) => ({ name, value }));
    const { packages, distribution, skipped } = parse({
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      components: [
        { type: 'operating-system', name: 'debian', version: '12.4' },
        {
          type: 'library',
          name: 'libssl3',
          purl: 'pkg:deb/debian/libssl3@2:3.0.11-1?arch=amd64',
          properties: trivy,
        },
        {
          type: 'library',
          name: 'libc6',
          purl: 'pkg:deb/debian/libc6@2.36-9?arch=amd64&upstream=glibc%402.36-8',
        },
        { type: 'library', group: '@angular', name: 'core', purl: 'pkg:npm/%40angular/core@17.0.0' },
        { type: 'library', group: 'org.a', name: 'b', purl: 'pkg:maven/org.a/b@1.0' },
        {
          type: 'library',
          name: 'github.com/BurntSushi/toml',
          purl: 'pkg:golang/github.com/burntsushi/toml@v1.2.0',
        },
        { type: 'library', name: 'bash', purl: 'pkg:rpm/redhat/bash@5.1-1?epoch=1&arch=x86_64' },
        {
          type: 'application',
          name: 'package-lock.json',
          components: [{ type: 'library', name: 'nested', purl: 'pkg:npm/nested@1.0.0' }],
        },
        { type: 'library', name: 'no url' },
        { type: 'library', name: 'x', purl: 'pkg:unheard-of/x@1' },
        { type: 'file', name: 'etc/passwd' },
      ],
    });
    expect(
      packages.map(({ kind, name, version, source }) => [kind, name, version, source?.name, source?.version]),
    ).toEqual([
      ['dpkg', 'libssl3', '2:3.0.11-1', 'openssl', '2:3.0.11-1'],
      ['dpkg', 'libc6', '2.36-9', 'glibc', '2.36-8'],
      ['npm', '@angular/core', '17.0.0', undefined, undefined],
      ['maven', 'org.a:b', '1.0', undefined, undefined],
      ['golang', 'github.com/BurntSushi/toml', 'v1.2.0', undefined, undefined],
      ['rpm', 'bash', '1:5.1-1', undefined, undefined],
      ['npm', 'nested', '1.0.0', undefined, undefined],
    ]);
    expect(distribution).toEqual({ id: 'debian', versionId: '12.4', prettyName: 'debian 12.4' });
    expect(skipped).toBe(2);
  });

  it('refuses versions that it does not know', () => {
    expect(() => parse({ bomFormat: 'CycloneDX', specVersion: '1.3' })).toThrow('only 1.4 to 1.6');
    expect(() => parse({ bomFormat: 'CycloneDX', specVersion: '2.0' })).toThrow('only 1.4 to 1.6');
  });
});

describe('SPDX of other tools', () => {
  it('reads packages and the release of their distro qualifier', () => {
    const { packages, distribution } = parse({
      spdxVersion: 'SPDX-2.3',
      packages: [
        { name: 'image', primaryPackagePurpose: 'CONTAINER' },
        {
          name: 'libssl3',
          versionInfo: '3.0.11-1',
          externalRefs: [
            {
              referenceType: 'cpe23Type',
              referenceLocator: 'cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*',
            },
            {
              referenceType: 'purl',
              referenceLocator: 'pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl',
            },
          ],
        },
      ],
    });
    expect(packages).toEqual([
      {
        kind: 'dpkg',
        name: 'libssl3',
        version: '3.0.11-1',
        source: { name: 'openssl', version: '3.0.11-1' },
        path: 'x.json',
        layer: 0,
      },
    ]);
    expect(distribution).toEqual({ id: 'debian', versionId: '12', prettyName: 'debian 12' });
  });
});

describe('Syft JSON', () => {
  it('reads sources, places and which system package owns a file', () => {
    const { packages, distribution } = parse({
      artifacts: [
        {
          id: '1',
          name: 'python3-yaml',
          version: '6.0-3',
          purl: 'pkg:deb/debian/python3-yaml@6.0-3?arch=amd64&distro=debian-12',
          locations: [{ path: '/var/lib/dpkg/status' }],
          metadata: { source: 'pyyaml', sourceVersion: '' },
        },
        {
          id: '2',
          name: 'PyYAML',
          version: '6.0',
          purl: 'pkg:pypi/pyyaml@6.0',
          locations: [{ path: '/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info' }],
        },
      ],
      artifactRelationships: [{ parent: '1', child: '2', type: 'ownership-by-file-overlap' }],
      distro: { id: 'debian', versionID: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    });
    expect(packages[0]).toMatchObject({
      source: { name: 'pyyaml', version: '6.0-3' },
      path: 'var/lib/dpkg/status',
    });
    expect(packages[1]).toMatchObject({ name: 'PyYAML', ownedBy: 'python3-yaml' });
    expect(distribution?.prettyName).toBe('Debian GNU/Linux 12 (bookworm)');
  });
});

describe('foreign bytes', () => {
  const shape = fc.constantFrom(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      components: [{ type: 'library', name: 'a', purl: 'pkg:npm/a@1' }],
    },
    {
      spdxVersion: 'SPDX-2.3',
      packages: [{ name: 'a', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/a@1' }] }],
    },
    { artifacts: [{ id: '1', name: 'a', version: '1', purl: 'pkg:npm/a@1' }], distro: { id: 'debian' } },
  );

  it('gives a coded error for everything that is none', () => {
    const damaged = fc.tuple(shape, fc.nat(), fc.jsonValue()).map(([value, at, insert]) => {
      let count = 0;
      return JSON.stringify(value, (_key, part: unknown) => (count++ === at % 12 ? insert : part)) ?? '';
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string(), fc.json()), (text) => {
        try {
          parseSbom(Buffer.from(text), 'x');
        } catch (error) {
          expect(scanErrors.is(error, 'SCAN_SBOM_INVALID')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('walks deeply nested components without recursion', () => {
    const depth = 20_000;
    const text = `{"bomFormat":"CycloneDX","specVersion":"1.6","components":${'[{"type":"file","components":'.repeat(depth)}[]${'}]'.repeat(depth)}}`;
    expect(parseSbom(Buffer.from(text), 'x').packages).toEqual([]);
  });
});
