// The order of versions found in real advisories, compared with Maven's own ComparableVersion where it is installed.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { versionScheme } from './index.ts';

const JARS = ['/usr/share/java/maven-artifact-3.x.jar', '/usr/share/java/commons-lang3.jar'];
const ADVISORIES = new URL('../../../../shared/advisories/maven.ndjson.gz', import.meta.url);
const missing = [...JARS, ADVISORIES].filter((file) => !existsSync(file));

/** Up to `limit` different versions of the advisories' ranges, in the order of the records. */
function versionsOfAdvisories(limit: number): string[] {
  const found = new Set<string>();
  const text = gunzipSync(readFileSync(ADVISORIES)).toString('utf8');
  for (const [, version = ''] of text.matchAll(/"(?:introduced|fixed|last_affected)":"([^"\s]+)"/g)) {
    if (found.size >= limit) break;
    found.add(version);
  }
  return [...found];
}

describe.skipIf(missing.length > 0)('Maven versions (needs maven-artifact and ../shared/advisories)', () => {
  it('orders neighbours as Maven does', () => {
    const versions = versionsOfAdvisories(4_000);
    const command = ['-cp', JARS.join(':'), 'org.apache.maven.artifact.versioning.ComparableVersion'];
    const output = execFileSync('java', [...command, ...versions], { maxBuffer: 64 * 1024 * 1024 });
    const scheme = versionScheme('Maven');
    const wrong: string[] = [];
    let count = 0;
    for (const [, a = '', operator, b = ''] of output
      .toString('utf8')
      .matchAll(/^ {3}(\S+) (<|==|>) (\S+)$/gm)) {
      const order = scheme?.compare(a, b) ?? Number.NaN;
      const ours = order < 0 ? '<' : order > 0 ? '>' : '==';
      count++;
      if (ours !== operator) wrong.push(`${a} ${operator} ${b}, ours ${ours}`);
    }
    expect(wrong).toEqual([]);
    expect(count).toBe(versions.length - 1);
    expect(count).toBeGreaterThan(2_000);
  });
});
