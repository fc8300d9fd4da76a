// Java, .NET and programs against the real advisories: log4j-core from the repository, in a war made with jar(1).
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAdvisoryFile, openAdvisoryFile, type AdvisoryFile } from '../advisories/index.ts';
import { memoryLayerCache } from './layer-cache.ts';
import { scanImage } from './scan-image.ts';
import { BUILT_AT, imageOf, memorySource, type TarEntry } from './testing.ts';
import type { ScanReport } from './types.ts';

const SOURCE = new URL('../../../shared/advisories/', import.meta.url);
const FILES = ['maven', 'maven-extra', 'nuget', 'nuget-extra', 'bitnami'];
const LOG4J = 'log4j-core-2.14.1.jar';
const REPOSITORY = join(homedir(), '.m2/repository/org/apache/logging/log4j/log4j-core/2.14.1', LOG4J);
const clock = { now: () => BUILT_AT };

/** The artifact of the local repository, fetched by Maven when it can; undefined when it cannot. */
function log4j(): string | undefined {
  if (!existsSync(REPOSITORY)) {
    const artifact = '-Dartifact=org.apache.logging.log4j:log4j-core:2.14.1';
    const goal = ['-q', '-B', 'dependency:get', artifact, '-Dtransitive=false'];
    spawnSync('mvn', goal, { timeout: 60_000, cwd: tmpdir() });
  }
  return existsSync(REPOSITORY) ? REPOSITORY : undefined;
}

const hasJar = spawnSync('jar', ['--version']).status === 0;
let directory: string;
let advisories: AdvisoryFile;

describe.skipIf(!existsSync(SOURCE))('findings by real advisories (needs ../shared/advisories)', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'breakwater-java-'));
    const path = join(directory, 'java.bwadv');
    const sources = FILES.map((file) => fileURLToPath(new URL(`${file}.ndjson.gz`, SOURCE)));
    await buildAdvisoryFile(sources, path, { clock });
    advisories = openAdvisoryFile(path);
  }, 60_000);
  afterAll(() => {
    advisories.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function scan(entries: readonly TarEntry[]): Promise<ScanReport> {
    const source = memorySource(imageOf([entries]));
    const [report] = await scanImage(source, { advisories, clock, cache: memoryLayerCache() });
    if (report === undefined) throw new Error('no report');
    return report;
  }

  it.skipIf(!hasJar)(
    'Java: log4j-core shaded and nested in a war (needs jar and Maven)',
    { timeout: 120_000 },
    async (context) => {
      const artifact = log4j();
      if (artifact === undefined) return context.skip('Maven cannot fetch log4j-core');
      const shaded = join(directory, 'shaded');
      const own = join(shaded, 'META-INF/maven/com.example/service');
      const war = join(directory, 'war');
      mkdirSync(own, { recursive: true });
      mkdirSync(join(war, 'WEB-INF/lib'), { recursive: true });
      execFileSync('jar', ['xf', artifact], { cwd: shaded });
      writeFileSync(join(own, 'pom.properties'), 'groupId=com.example\nartifactId=service\nversion=1.0\n');
      execFileSync('jar', ['cf', join(war, 'WEB-INF/lib/service-1.0.jar'), '-C', shaded, '.']);
      copyFileSync(artifact, join(war, 'WEB-INF/lib', LOG4J));
      execFileSync('jar', ['cf', join(directory, 'app.war'), '-C', war, '.']);
      const report = await scan([{ path: 'srv/app.war', content: readFileSync(join(directory, 'app.war')) }]);
      const found = report.findings.filter((finding) => finding.id === 'CVE-2021-44228');
      expect(
        found.map(({ package: name, installed, fixed, path }) => [name, installed, fixed, path]),
      ).toEqual([
        ['org.apache.logging.log4j:log4j-core', '2.14.1', '2.15.0', `srv/app.war!/WEB-INF/lib/${LOG4J}`],
        [
          'org.apache.logging.log4j:log4j-core',
          '2.14.1',
          '2.15.0',
          'srv/app.war!/WEB-INF/lib/service-1.0.jar',
        ],
      ]);
      expect(report.packages.map((item) => item.name)).toContain('com.example:service');
      expect(report.packages[0]?.detail).toEqual({ identity: 'pom.properties' });
    },
  );

  it('.NET: a stack overflow in Newtonsoft.Json, fixed in 13.0.1', async () => {
    const deps = (version: string) => [
      {
        path: 'app/app.deps.json',
        content: JSON.stringify({ libraries: { [`newtonsoft.json/${version}`]: { type: 'package' } } }),
      },
    ];
    const [old] = (await scan(deps('12.0.3'))).findings;
    expect([old?.advisory, old?.fixed]).toEqual(['GHSA-5crp-9r3c-p9vr', '13.0.1']);
    expect((await scan(deps('13.0.1'))).findings).toEqual([]);
  });

  it('programs: Redis and Java 8 by the names and versions of Bitnami', async () => {
    const redis = Buffer.from('\x7fELF\0\x007.0.11build-1704830942000000000000000000\0', 'latin1');
    const java = 'IMPLEMENTOR="x"\nJAVA_VERSION="1.8.0_152"\n';
    const report = await scan([
      { path: 'usr/local/bin/redis-server', content: redis },
      { path: 'opt/java/openjdk/release', content: java },
    ]);
    const named = Map.groupBy(report.findings, (finding) => finding.package);
    expect(named.get('redis')?.map((finding) => finding.id)).toContain('CVE-2023-41056');
    expect(named.get('java')?.length).toBeGreaterThan(0);
    expect(report.packages.map((item) => item.purl)).toEqual([
      'pkg:generic/java@1.8.0_152',
      'pkg:generic/redis@7.0.11',
    ]);
  });
});
