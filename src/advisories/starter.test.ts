// The starter set: sound by itself, and in agreement with the published data where that is at hand.
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import starterData from '../../library/advisories/starter.json' with { type: 'json' };
import { AdvisoryCollector } from './collector.ts';
import { matchVersion } from './match.ts';
import { memoryAdvisoryFile } from './memory-file.ts';
import { starterAdvisories } from './starter.ts';
import type { AdvisoryFile } from './types.ts';
import { versionScheme } from './versions/index.ts';

const DATA = new URL('../../../shared/advisories/', import.meta.url);

describe('the starter advisories', () => {
  const file = starterAdvisories();

  it('calls itself a starter and counts its entries', () => {
    expect(file.info).toMatchObject({ kind: 'starter', advisories: starterData.advisories.length });
    expect(file.info.advisories).toBeGreaterThanOrEqual(60);
    expect(file.info.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(starterAdvisories()).toBe(file);
  });

  it('has a severity, a summary and a decidable ecosystem for every entry', () => {
    for (const { id, affected } of starterData.advisories) {
      const facts = file.facts(id);
      expect(facts?.severity, id).not.toBe('unknown');
      expect(facts?.summary.length, id).toBeGreaterThan(15);
      for (const key of Object.keys(affected)) {
        const ecosystem = key.slice(0, key.lastIndexOf(' '));
        expect(versionScheme(ecosystem), key).toBeDefined();
        expect(
          file.lookup(ecosystem, key.slice(key.lastIndexOf(' ') + 1)).map(({ advisory }) => advisory),
        ).toContain(id);
      }
    }
  });

  it.each([
    ['npm', 'lodash', '4.17.15', 'CVE-2021-23337', '4.17.21'],
    ['npm', 'minimist', '1.2.0', 'CVE-2021-44906', '1.2.6'],
    ['PyPI', 'pyyaml', '5.3', 'CVE-2020-14343', '5.4'],
    ['Go', 'golang.org/x/text', 'v0.3.7', 'CVE-2022-32149', '0.3.8'],
    ['Debian:11', 'openssl', '1.1.1k-1', 'CVE-2021-3711', '1.1.1k-1+deb11u1'],
    ['Alpine:v3.18', 'busybox', '1.36.0-r0', 'CVE-2022-48174', '1.36.1-r1'],
  ])('finds a well-known flaw: %s %s %s', (ecosystem, name, version, id, fixed) => {
    const scheme = versionScheme(ecosystem);
    const statement = file.lookup(ecosystem, name).find(({ advisory }) => advisory === id);
    expect(statement && scheme && matchVersion(statement, version, scheme)).toMatchObject({
      affected: true,
      fixed,
    });
  });

  it('knows which flaws are exploited and answers by alias', () => {
    expect(file.facts('CVE-2014-0160')).toMatchObject({ exploited: true, severitySource: 'cvss3' });
    expect(file.aliasedBy('GHSA-35jh-r3h4-6jhm')).toEqual(['CVE-2021-23337']);
  });
});

describe.skipIf(!existsSync(DATA))(
  'the starter facts against published data (needs ../shared/advisories)',
  () => {
    let published: AdvisoryFile;
    beforeAll(async () => {
      const wanted = starterData.advisories.map(({ id }) => id);
      const pattern = new RegExp(`"(?:[A-Z]+-)?(?:${wanted.join('|')})"`);
      const collector = new AdvisoryCollector();
      for (const name of ['debian', 'alpine', 'npm', 'pypi-ghsa', 'go']) {
        const stream = createReadStream(new URL(`${name}.ndjson.gz`, DATA)).pipe(
          createGunzip({ chunkSize: 262_144 }),
        );
        for await (const line of createInterface({ input: stream })) {
          if (pattern.test(line.slice(0, 2_000)) || pattern.test(line.slice(-1_000)))
            collector.add(JSON.parse(line), name);
        }
      }
      published = memoryAdvisoryFile(collector, { kind: 'file', digest: '', builtAt: '', sources: [] });
    }, 60_000);

    it('agree in every range', () => {
      const file = starterAdvisories();
      const wrong: string[] = [];
      let checked = 0;
      for (const { id, affected } of starterData.advisories) {
        const names = new Set([id, ...(file.facts(id)?.aliases ?? []), ...published.aliasedBy(id)]);
        for (const key of Object.keys(affected)) {
          const [ecosystem, name] = [key.slice(0, key.lastIndexOf(' ')), key.slice(key.lastIndexOf(' ') + 1)];
          const ours = file.lookup(ecosystem, name).find(({ advisory }) => advisory === id);
          const theirs = published.lookup(ecosystem, name).filter(({ advisory }) => names.has(advisory));
          const words = (ranges: readonly object[]) =>
            [...new Set(ranges.map((range) => JSON.stringify(range)))].sort();
          if (theirs.length === 0) wrong.push(`${id} ${key}: not in the data`);
          else if (
            JSON.stringify(words(ours?.ranges ?? [])) !==
            JSON.stringify(words(theirs.flatMap(({ ranges }) => ranges)))
          ) {
            wrong.push(
              `${id} ${key}: ${words(ours?.ranges ?? [])} but published ${words(theirs.flatMap(({ ranges }) => ranges))}`,
            );
          }
          checked++;
        }
      }
      expect(wrong).toEqual([]);
      expect(checked).toBeGreaterThan(200);
    });
  },
);
