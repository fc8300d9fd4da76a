// Test support (imported by tests only): one finding of a Debian package and a report around it.
import type { Finding, ImagePackage, ScanReport } from '../../types.ts';

export const sslPackage: ImagePackage = {
  kind: 'dpkg',
  name: 'libssl3',
  version: '3.0.11-1',
  source: { name: 'openssl', version: '3.0.11-1' },
  architecture: 'amd64',
  path: 'var/lib/dpkg/status',
  purl: 'pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12',
  layer: 0,
};

export const openFinding: Finding = {
  id: 'CVE-2024-5535',
  advisory: 'DEBIAN-CVE-2024-5535',
  aliases: ['DEBIAN-CVE-2024-5535'],
  purl: sslPackage.purl,
  kind: 'dpkg',
  package: 'libssl3',
  installed: '3.0.11-1',
  fixed: '3.0.15-1',
  fixState: 'fixed',
  severity: 'critical',
  severitySource: 'cvss3',
  cvssScore: 9.1,
  cvssVector: null,
  epss: null,
  exploited: false,
  title: 'buffer overread',
  range: '< 3.0.15-1',
  layer: 0,
  layerDigest: null,
  path: 'var/lib/dpkg/status',
  state: 'open',
};

export function reportOf(findings: readonly Finding[], more: Partial<ScanReport> = {}): ScanReport {
  return {
    schemaVersion: 1,
    target: 'registry.example/shop/cart:1.4',
    status: 'finished',
    reason: null,
    image: {
      digest: `sha256:${'1'.repeat(64)}`,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      platform: 'linux/amd64',
      created: null,
      layers: [],
    },
    distribution: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12' },
    packages: [sslPackage],
    findings,
    problems: [],
    advisories: {
      kind: 'file',
      digest: `sha256:${'e'.repeat(64)}`,
      builtAt: '2026-01-01T00:00:00.000Z',
      ageHours: 1,
      advisories: 10,
      notices: [],
    },
    scannedAt: '2026-01-02T06:30:00.000Z',
    ...more,
  };
}
