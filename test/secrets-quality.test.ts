// How well secrets are found: every rule's own positives and near misses, harmless files, and a real Debian + npm tree.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { secretRules } from '../src/scan/secrets/rules.ts';
import { searchKinds } from '../src/scan/secrets/paths.ts';
import { SecretSearch } from '../src/scan/secrets/search.ts';
import { debianImage, debianImageMissing } from './fixtures/debian-image.ts';
import { harmlessFiles, KINDS, Random, type Sample } from './fixtures/secret-corpus/generator.ts';

const SAMPLES = 8;
const search = new SecretSearch(secretRules());

function found(sample: Pick<Sample, 'path'>, content: string | Buffer): readonly string[] {
  const kinds = searchKinds(sample.path);
  if (kinds === undefined) return [];
  search.begin(kinds);
  search.write(Buffer.from(content));
  return search.finish().matches.map((match) => match.rule.id);
}

describe('secrets', () => {
  it('has at least 200 rules, each with a kind in the corpus', () => {
    const rules = secretRules().map((rule) => rule.id);
    expect(rules.length).toBeGreaterThanOrEqual(200);
    expect(new Set(rules).size).toBe(rules.length);
    expect(KINDS.map((kind) => kind.kind).toSorted()).toEqual(rules.toSorted());
  });

  it('finds each kind and leaves its near misses: precision and recall at least 0.95', () => {
    const random = new Random('secrets quality 1');
    let truePositives = 0;
    let missed = 0;
    let falsePositives = 0;
    const weak: string[] = [];
    const wrong: string[] = [];
    for (const kind of KINDS) {
      let hits = 0;
      for (let i = 0; i < SAMPLES; i++) {
        const sample = kind.sample(random);
        const ids = found(sample, sample.text);
        if (ids.includes(kind.kind)) hits++;
        // A second name for the same value is a false alarm as well.
        falsePositives += ids.filter((id) => id !== kind.kind).length;
        const miss = kind.nearMiss(random);
        // A value of another length under a key's name is what the generic rule is for.
        const alarms = found(miss, miss.text).filter(
          (id) => id !== 'generic-secret' || kind.kind === 'generic-secret',
        );
        falsePositives += alarms.length;
        if (alarms.length > 0) wrong.push(`${kind.kind}: ${alarms.join()}`);
      }
      truePositives += hits;
      missed += SAMPLES - hits;
      if (hits < SAMPLES - 1) weak.push(`${kind.kind} ${hits}/${SAMPLES}`);
    }
    for (const file of harmlessFiles(random)) {
      const alarms = found(file, file.text);
      falsePositives += alarms.length;
      if (alarms.length > 0) wrong.push(`${file.path}: ${alarms.join()}`);
    }
    const precision = truePositives / (truePositives + falsePositives);
    const recall = truePositives / (truePositives + missed);
    console.log(
      `secrets: ${KINDS.length} rules, ${truePositives + missed} positives, precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}`,
    );
    if (wrong.length > 0) console.log(`false alarms:\n  ${[...new Set(wrong)].join('\n  ')}`);
    expect(weak).toEqual([]);
    expect(precision).toBeGreaterThanOrEqual(0.95);
    expect(recall).toBeGreaterThanOrEqual(0.95);
  });

  const missing = debianImageMissing();
  it.skipIf(missing !== undefined)(
    `raises no alarm on a real Debian + npm tree${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    async () => {
      const image = await debianImage();
      const hits: string[] = [];
      let bytes = 0;
      const started = performance.now();
      for (const root of [image.rootfs, image.application]) {
        for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
          const file = join(root, path);
          if (searchKinds(path) === undefined || !lstatSync(file).isFile()) continue;
          const content = readFileSync(file);
          if (content.subarray(0, 8_000).includes(0)) continue;
          bytes += content.length;
          for (const id of found({ path }, content)) hits.push(`${id} ${path}`);
        }
      }
      const seconds = (performance.now() - started) / 1000;
      console.log(
        `secrets on Debian + npm: ${hits.length} hits in ${(bytes / 1e6).toFixed(1)} MB of text (${(bytes / 1e6 / seconds).toFixed(0)} MB/s with reading)`,
      );
      // A fresh debootstrap has no keys, passwords or tokens: host keys are made at first boot, passwords are locked.
      expect(hits).toEqual([]);
    },
    120_000,
  );
});
