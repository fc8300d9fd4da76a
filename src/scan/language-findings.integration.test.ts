// Findings of Ruby, Rust and PHP packages of an image, by the real advisories; expectations written by hand from them.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAdvisoryFile, openAdvisoryFile, type AdvisoryFile } from '../advisories/index.ts';
import { memoryLayerCache } from './layer-cache.ts';
import { scanImage } from './scan-image.ts';
import { BUILT_AT, imageOf, memorySource } from './testing.ts';
import { auditData, elfOf } from './packages/testing.ts';

const SOURCE = new URL('../../../shared/advisories/', import.meta.url);
const FILES = ['rubygems', 'rubygems-ghsa', 'crates-io', 'crates-io-ghsa', 'packagist', 'packagist-ghsa'];
const clock = { now: () => BUILT_AT };

let directory: string;
let advisories: AdvisoryFile;

describe.skipIf(!existsSync(SOURCE))('findings by real advisories (needs ../shared/advisories)', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'breakwater-languages-'));
    const path = join(directory, 'languages.bwadv');
    const sources = FILES.map((file) => fileURLToPath(new URL(`${file}.ndjson.gz`, SOURCE)));
    await buildAdvisoryFile(sources, path, { clock });
    advisories = openAdvisoryFile(path);
  });
  afterAll(() => {
    advisories.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** `CVE > fixed version` of every finding of the packages in these files, sorted. */
  async function findings(files: Readonly<Record<string, string | Buffer>>): Promise<string[]> {
    const image = imageOf([Object.entries(files).map(([path, content]) => ({ path, content }))]);
    const reports = await scanImage(memorySource(image), { advisories, clock, cache: memoryLayerCache() });
    const found = reports.flatMap((report) => report.findings);
    return found.map((one) => `${one.package} ${one.id} > ${one.fixed ?? 'none'}`).toSorted();
  }

  const gem = (version: string) => ({
    [`bundle/specifications/rack-${version}.gemspec`]: `# stub: rack ${version} ruby lib\n`,
  });

  it('Ruby: session hijack in rack, fixed in 2.0.8; a pre-release counts as before its release', async () => {
    expect(await findings(gem('2.0.7'))).toContain('rack CVE-2019-16782 > 2.0.8');
    expect(await findings(gem('2.0.8'))).not.toContain('rack CVE-2019-16782 > 2.0.8');
    expect(await findings(gem('2.0.8.beta1'))).toContain('rack CVE-2019-16782 > 2.0.8');
    expect(await findings(gem('1.6.11'))).toContain('rack CVE-2019-16782 > 1.6.12');
    expect(await findings(gem('1.6.12'))).not.toContain('rack CVE-2019-16782 > 2.0.8');
  });

  it('Rust: crates in an executable; a crate that only built it does not count', async () => {
    const program = (version: string) => ({
      'usr/bin/app': elfOf({
        data: auditData([
          { name: 'time', version: '0.1.43', source: 'crates.io' },
          { name: 'smallvec', version, source: 'crates.io' },
          { name: 'smallvec', version: '1.5.0', source: 'crates.io', kind: 'build' },
        ]),
      }),
    });
    const time = 'time CVE-2020-26235 > 0.2.23';
    expect(await findings(program('1.6.0'))).toEqual(['smallvec CVE-2021-25900 > 1.6.1', time]);
    expect(await findings(program('1.6.1'))).toEqual([time]);
  });

  it('PHP: header injection in guzzlehttp/psr7, and a module of Drupal', async () => {
    const installed = (...rows: readonly (readonly [string, string])[]) => ({
      'app/vendor/composer/installed.json': JSON.stringify({
        packages: rows.map(([name, version]) => ({ name, version })),
      }),
    });
    const psr7 = 'guzzlehttp/psr7 CVE-2022-24775';
    expect(await findings(installed(['GuzzleHttp/psr7', '1.8.3']))).toContain(
      `GuzzleHttp/psr7 CVE-2022-24775 > 1.8.4`,
    );
    expect(await findings(installed(['guzzlehttp/psr7', '2.1.0']))).toContain(`${psr7} > 2.1.1`);
    expect(await findings(installed(['guzzlehttp/psr7', 'v1.8.4']))).not.toContain(`${psr7} > 2.1.1`);
    const module = 'drupal/search_autocomplete';
    expect(await findings(installed([module, '2.0.2']))).toEqual([
      `${module} DRUPAL-CONTRIB-2023-026 > 2.0.3`,
    ]);
    expect(await findings(installed([module, '2.0.3']))).toEqual([]);
  });

  it('a branch of a package is not decided, and that is said', async () => {
    const content = JSON.stringify([{ name: 'guzzlehttp/psr7', version: 'dev-master' }]);
    const image = imageOf([[{ path: 'vendor/composer/installed.json', content }]]);
    const [report] = await scanImage(memorySource(image), { advisories, clock, cache: memoryLayerCache() });
    expect(report?.findings).toEqual([]);
    expect(report?.problems.map((problem) => problem.code)).toContain('SCAN_VERSION_UNKNOWN');
  });
});
