// Published advisories of every RPM distribution against versions labelled by hand from the errata themselves.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdvisoryFile, buildAdvisoryFile, openAdvisoryFile } from '../advisories/index.ts';
import { matchPackages } from './match.ts';
import type { DistributionRelease } from './types.ts';

const DATA = join(import.meta.dirname, '../../../shared/advisories');
const FILES = ['redhat', 'almalinux', 'rocky', 'suse', 'amazon', 'azure-linux', 'cve-meta'];

interface Label {
  readonly release: string;
  /** Binary package, `=` and its source package where the names differ. */
  readonly name: string;
  readonly version: string;
  readonly module?: string;
  readonly flaw: string;
  /** The fix it needs; null when it is not affected. */
  readonly fixed: string | null;
}

const CURL = 'CVE-2023-38545';
const NODE = 'CVE-2024-22019';
const BN = 'CVE-2022-0778';
const LABELS: readonly Label[] = [
  {
    release: 'rhel 9.2',
    name: 'libcurl=curl',
    version: '7.76.1-23.el9_2.2',
    flaw: CURL,
    fixed: '0:7.76.1-23.el9_2.4',
  },
  { release: 'rhel 9.2', name: 'libcurl=curl', version: '7.76.1-23.el9_2.4', flaw: CURL, fixed: null },
  {
    release: 'rhel 9.3',
    name: 'libcurl=curl',
    version: '7.76.1-26.el9_3.1',
    flaw: CURL,
    fixed: '0:7.76.1-26.el9_3.2',
  },
  { release: 'centos 9', name: 'curl', version: '7.76.1-29.el9', flaw: CURL, fixed: null },
  {
    release: 'rhel 8.5',
    name: 'openssl-libs=openssl',
    version: '1:1.1.1k-5.el8_5',
    flaw: BN,
    fixed: '1:1.1.1k-6.el8_5',
  },
  { release: 'rhel 8.5', name: 'openssl-libs=openssl', version: '1:1.1.1k-6.el8_5', flaw: BN, fixed: null },
  { release: 'almalinux 9.2', name: 'curl', version: '7.76.1-23.el9_2.4', flaw: CURL, fixed: null },
  {
    release: 'almalinux 9.2',
    name: 'curl',
    version: '7.76.1-23.el9',
    flaw: CURL,
    fixed: '7.76.1-23.el9_2.4',
  },
  {
    release: 'almalinux 8.9',
    name: 'nodejs',
    version: '1:16.20.2-3.module_el8.9.0+3731+490e3d6e',
    module: 'nodejs:16',
    flaw: NODE,
    fixed: '1:16.20.2-4.module_el8.9.0+3747+ead8229c',
  },
  {
    release: 'almalinux 8.9',
    name: 'nodejs',
    version: '1:18.19.1-1.module_el8.9.0+3753+4de0891b',
    module: 'nodejs:18',
    flaw: NODE,
    fixed: null,
  },
  {
    release: 'almalinux 9.3',
    name: 'nodejs',
    version: '1:16.20.2-3.el9_3',
    flaw: NODE,
    fixed: '1:16.20.2-4.el9_3',
  },
  { release: 'almalinux 9.3', name: 'nodejs', version: '1:16.20.2-4.el9_3', flaw: NODE, fixed: null },
  {
    release: 'rocky 8.5',
    name: 'openssl-libs=openssl',
    version: '1:1.1.1k-5.el8_5',
    flaw: BN,
    fixed: '1:1.1.1k-6.el8_5',
  },
  { release: 'rocky 8.5', name: 'openssl-libs=openssl', version: '1:1.1.1k-6.el8_5', flaw: BN, fixed: null },
  {
    release: 'sles 15.5',
    name: 'libcurl4=curl',
    version: '8.0.1-150400.5.29.1',
    flaw: CURL,
    fixed: '8.0.1-150400.5.32.1',
  },
  { release: 'sles 15.5', name: 'libcurl4=curl', version: '8.0.1-150400.5.32.1', flaw: CURL, fixed: null },
  {
    release: 'opensuse-leap 15.5',
    name: 'libcurl4=curl',
    version: '8.0.1-150400.5.29.1',
    flaw: CURL,
    fixed: '8.0.1-150400.5.32.1',
  },
  {
    release: 'opensuse-tumbleweed 20231001',
    name: 'libcurl4=curl',
    version: '8.3.0-1.1',
    flaw: CURL,
    fixed: '8.4.0-1.1',
  },
  {
    release: 'amzn 2',
    name: 'libcurl=curl',
    version: '8.2.1-1.amzn2.0.3',
    flaw: CURL,
    fixed: '0:8.3.0-1.amzn2.0.4',
  },
  { release: 'amzn 2', name: 'libcurl=curl', version: '8.3.0-1.amzn2.0.4', flaw: CURL, fixed: null },
  { release: 'amzn 2023', name: 'libcurl=curl', version: '8.3.0-1.amzn2023.0.2', flaw: CURL, fixed: null },
  {
    release: 'azurelinux 3.0',
    name: 'openssl-libs=openssl',
    version: '3.3.0-1.azl3',
    flaw: 'CVE-2024-5535',
    fixed: '0:3.3.0-2.azl3',
  },
  {
    release: 'azurelinux 3.0',
    name: 'openssl-libs=openssl',
    version: '3.3.0-2.azl3',
    flaw: 'CVE-2024-5535',
    fixed: null,
  },
];

describe.skipIf(!existsSync(DATA))(
  'RPM distributions on published advisories (needs ../shared/advisories)',
  () => {
    let folder = '';
    let file: AdvisoryFile;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'breakwater-errata-'));
      const out = join(folder, 'rpm.advisories');
      const sources = FILES.map((name) => join(DATA, `${name}.ndjson.gz`));
      await buildAdvisoryFile(sources, out, { clock: { now: () => Date.UTC(2026, 10, 24) } });
      file = openAdvisoryFile(out);
    }, 120_000);
    afterAll(() => {
      file.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(LABELS)('$release $name $version: $flaw', ({ release, name, version, module, flaw, fixed }) => {
      const [id = '', versionId = ''] = release.split(' ');
      const distribution: DistributionRelease = { id, versionId, prettyName: release };
      const [binary = '', source = binary] = name.split('=');
      const item = {
        kind: 'rpm' as const,
        name: binary,
        version,
        source: { name: source, version },
        path: 'var/lib/rpm/rpmdb.sqlite',
        purl: 'pkg:rpm/x',
        layer: 0,
        ...(module === undefined ? {} : { detail: { module } }),
      };
      const { findings } = matchPackages([item], distribution, file);
      const found = findings.find((finding) => finding.id === flaw || finding.aliases.includes(flaw));
      expect(found?.fixed ?? null).toBe(fixed);
      if (fixed !== null) expect(found?.severity).not.toBe('unknown');
    });
  },
);
