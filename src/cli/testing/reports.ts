// Scan reports for the tests of formats: an image with findings, a clean one, and one that could not be read.
import type { Finding, ImagePackage, ScanReport } from '../../scan/index.ts';

const opensslPurl = 'pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12';
const libsslPurl = 'pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12';
const lodashPurl = 'pkg:npm/lodash@4.17.15';
const hostilePurl = 'pkg:npm/%3DSUM%28A1%29@1.0.0';

const packages: readonly ImagePackage[] = [
  dpkg('openssl', opensslPurl),
  dpkg('libssl3', libsslPurl),
  {
    kind: 'npm',
    name: 'lodash',
    version: '4.17.15',
    path: 'app/node_modules/lodash/package.json',
    licenses: ['MIT'],
    purl: lodashPurl,
    layer: 1,
  },
  {
    kind: 'npm',
    name: '=SUM(A1)',
    version: '1.0.0',
    path: 'app/node_modules/=SUM(A1)/package.json',
    purl: hostilePurl,
    layer: 1,
  },
];

function dpkg(name: string, purl: string): ImagePackage {
  return {
    kind: 'dpkg',
    name,
    version: '3.0.11-1~deb12u1',
    source: { name: 'openssl', version: '3.0.11-1~deb12u1' },
    architecture: 'amd64',
    path: 'var/lib/dpkg/status',
    purl,
    layer: 0,
  };
}

const base: Finding = {
  id: 'CVE-2024-5535',
  advisory: 'DEBIAN-CVE-2024-5535',
  aliases: ['CVE-2024-5535'],
  purl: opensslPurl,
  kind: 'dpkg',
  package: 'openssl',
  installed: '3.0.11-1~deb12u1',
  fixed: '3.0.15-1~deb12u1',
  fixState: 'fixed',
  severity: 'critical',
  severitySource: 'cvss3',
  cvssScore: 9.1,
  cvssVector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H',
  epss: 0.0432,
  exploited: true,
  title: 'SSL_select_next_proto buffer overread',
  range: '< 3.0.15-1~deb12u1',
  layer: 0,
  layerDigest: `sha256:${'a'.repeat(64)}`,
  path: 'var/lib/dpkg/status',
  state: 'open',
};

const findings: readonly Finding[] = [
  base,
  { ...base, purl: libsslPurl, package: 'libssl3' },
  {
    ...base,
    id: 'CVE-2024-0727',
    advisory: 'DEBIAN-CVE-2024-0727',
    aliases: ['CVE-2024-0727'],
    fixed: '3.0.13-1~deb12u1',
    severity: 'medium',
    cvssScore: 5.5,
    cvssVector: 'CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H',
    epss: 0.0011,
    exploited: false,
    title: 'Processing a maliciously formatted PKCS12 file may lead to a crash',
    range: '< 3.0.13-1~deb12u1',
  },
  {
    ...base,
    id: 'CVE-2020-8203',
    advisory: 'GHSA-p6mc-m468-83gw',
    aliases: ['CVE-2020-8203', 'GHSA-p6mc-m468-83gw'],
    purl: lodashPurl,
    kind: 'npm',
    package: 'lodash',
    installed: '4.17.15',
    fixed: '4.17.20',
    severity: 'high',
    cvssScore: 7.4,
    cvssVector: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H',
    epss: null,
    exploited: false,
    title: 'Prototype Pollution in lodash',
    range: '>= 3.7.0, < 4.17.19',
    layer: 1,
    layerDigest: `sha256:${'b'.repeat(64)}`,
    path: 'app/node_modules/lodash/package.json',
  },
  {
    ...base,
    id: 'GHSA-aaaa-bbbb-cccc',
    advisory: 'GHSA-aaaa-bbbb-cccc',
    aliases: [],
    purl: hostilePurl,
    kind: 'npm',
    package: '=SUM(A1)',
    installed: '1.0.0',
    fixed: null,
    fixState: 'not-fixed',
    severity: 'unknown',
    severitySource: 'none',
    cvssScore: null,
    cvssVector: null,
    epss: null,
    exploited: false,
    title: '<script>alert(1)</script> | "quoted"\u001b[2J\nsecond line',
    range: '>= 0',
    layer: 1,
    layerDigest: `sha256:${'b'.repeat(64)}`,
    path: 'app/node_modules/=SUM(A1)/package.json',
  },
];

/** An image with findings of every kind, one of them with hostile text, and a part that could not be read. */
export const vulnerableReport: ScanReport = {
  schemaVersion: 1,
  target: 'registry.example/shop/cart:1.4',
  status: 'finished',
  reason: null,
  image: {
    digest: `sha256:${'1'.repeat(64)}`,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    platform: 'linux/amd64',
    created: '2026-01-02T03:04:05Z',
    layers: [
      {
        index: 0,
        digest: `sha256:${'a'.repeat(64)}`,
        diffId: `sha256:${'c'.repeat(64)}`,
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        size: 48_500_000,
        instruction: '/bin/sh -c #(nop) ADD file:3e1 in /',
        cached: true,
      },
      {
        index: 1,
        digest: `sha256:${'b'.repeat(64)}`,
        diffId: `sha256:${'d'.repeat(64)}`,
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        size: 1_200_000,
        instruction: 'RUN npm ci',
        cached: false,
      },
    ],
  },
  distribution: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
  packages,
  findings,
  problems: [
    {
      code: 'SCAN_METADATA_UNREADABLE',
      message: 'package.json is not JSON',
      layer: 1,
      path: 'app/node_modules/broken/package.json',
    },
  ],
  advisories: {
    kind: 'file',
    digest: `sha256:${'e'.repeat(64)}`,
    builtAt: '2026-01-01T00:00:00.000Z',
    ageHours: 30.5,
    advisories: 301_222,
    notices: [],
  },
  scannedAt: '2026-01-02T06:30:00.000Z',
  secrets: [
    {
      rule: 'private-key',
      title: 'PEM: Private key',
      severity: 'critical',
      source: 'file',
      path: 'app/.ssh/id_rsa',
      line: 1,
      layer: 0,
      layerDigest: `sha256:${'a'.repeat(64)}`,
      removedInLayer: 1,
      masked: '******',
      fingerprint: '0123456789abcdef0123456789abcdef',
      validated: 'structure',
      remediation: 'Replace it by making a new key pair.',
    },
    {
      rule: 'gitlab-pat',
      title: 'GitLab: Personal access token',
      severity: 'critical',
      source: 'environment',
      path: 'CI_TOKEN',
      line: 1,
      layer: null,
      layerDigest: null,
      removedInLayer: null,
      masked: 'glpa******rS',
      fingerprint: 'fedcba9876543210fedcba9876543210',
      validated: 'pattern',
      remediation: 'Replace it under Preferences, Access tokens.',
    },
  ],
};

/** Nothing was found, with the starter advisories: must not read as clean. */
export const starterReport: ScanReport = {
  ...vulnerableReport,
  target: 'oci:./image',
  findings: [],
  secrets: [],
  problems: [],
  advisories: {
    ...vulnerableReport.advisories,
    kind: 'starter',
    advisories: 42,
    notices: ['starter advisories: 42 entries; run advisories update'],
  },
};

/** Not an image: must not read as clean either. */
export const unscannableReport: ScanReport = {
  ...vulnerableReport,
  target: 'registry.example/charts/web:1.0',
  status: 'unscannable',
  reason: 'the config is a Helm chart',
  packages: [],
  findings: [],
  secrets: [],
  distribution: null,
  problems: [{ code: 'SCAN_NOT_AN_IMAGE', message: 'the config is a Helm chart', layer: null, path: null }],
};
