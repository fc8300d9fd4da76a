// No false "update available": every fix named for a package installed here is one that the Debian archive offers.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAdvisoryFile } from './build.ts';
import { openAdvisoryFile } from './file/read.ts';
import { matchVersion } from './match.ts';
import type { AdvisoryFile } from './types.ts';
import { dpkgScheme } from './versions/dpkg.ts';

const DATA = join(import.meta.dirname, '../../../shared/advisories');
const LISTS = '/var/lib/apt/lists';

/** When the lists were fetched: data younger than they may name fixes that apt has not heard of. */
function archiveDate(): number {
  if (!existsSync(LISTS) || !/bookworm/.test(readFileSync('/etc/os-release', 'utf8'))) return 0;
  const release = readdirSync(LISTS).find((name) => name.endsWith('bookworm-security_InRelease'));
  if (release === undefined) return 0;
  return statSync(join(LISTS, release)).mtimeMs;
}

const ready = existsSync(DATA) && archiveDate() >= Date.UTC(2026, 10, 23);

interface Installed {
  readonly binary: string;
  readonly source: string;
  readonly version: string;
}

function installedPackages(): readonly Installed[] {
  const format = '${Package}\t${source:Package}\t${source:Version}\n';
  const rows = execFileSync('dpkg-query', ['-W', '-f', format], { encoding: 'utf8' }).trim().split('\n');
  return rows.map((row) => {
    const [binary = '', source = '', version = ''] = row.split('\t');
    return { binary, source, version };
  });
}

/** The version that apt would install, by binary package. */
function candidates(binaries: readonly string[]): ReadonlyMap<string, string> {
  const text = execFileSync('apt-cache', ['policy', ...binaries], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const found = text.matchAll(/^(\S+):\n\s+Installed: .*\n\s+Candidate: (\S+)$/gm);
  return new Map([...found].map(([, name = '', version = '']) => [name, version]));
}

describe.skipIf(!ready)(
  'fixes named for this Debian 12 (needs ../shared/advisories and apt lists as new as they)',
  () => {
    let folder: string;
    let file: AdvisoryFile;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'breakwater-debian-'));
      const out = join(folder, 'debian');
      const sources = ['debian', 'debian-12-changelog'].map((name) => join(DATA, `${name}.ndjson.gz`));
      await buildAdvisoryFile(sources, out, { clock: { now: () => 0 } });
      file = openAdvisoryFile(out);
    });
    afterAll(() => {
      file.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('are all in the archive', () => {
      const packages = [
        ...new Map(installedPackages().map((item) => [`${item.source} ${item.version}`, item])).values(),
      ];
      const offered = candidates(packages.map(({ binary }) => binary));
      const wrong: string[] = [];
      let compared = 0;
      for (const { binary, source, version } of packages) {
        for (const statement of file.lookup('Debian:12', source)) {
          const verdict = matchVersion(statement, version, dpkgScheme);
          compared++;
          if (!verdict.affected || verdict.fixed === null) continue;
          // Binary rebuilds (`+b1`) sort after their source version, so comparing with the binary's candidate is safe.
          const candidate = offered.get(binary) ?? version;
          if (dpkgScheme.compare(candidate, verdict.fixed) < 0)
            wrong.push(
              `${source} ${version}: ${statement.advisory} fixed in ${verdict.fixed}, archive has ${candidate}`,
            );
        }
      }
      expect(compared).toBeGreaterThan(1_000);
      expect(wrong).toEqual([]);
    });
  },
);
