// Reading sources: lines over chunk borders, damaged gzip, zip archives, folders.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { advisoryErrors } from '../errors.ts';
import { zip } from '../testing.ts';
import { findSources, type SourceItem } from './index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-sources-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function itemsOf(...paths: readonly string[]): Promise<readonly SourceItem[]> {
  const items: SourceItem[] = [];
  for (const source of await findSources(paths))
    for await (const batch of source.batches()) items.push(...batch);
  return items;
}

describe('newline-delimited JSON', () => {
  it('gives every line whole, wherever chunks are cut, and names bad ones', async () => {
    const lines = Array.from({ length: 300 }, (_, index) =>
      JSON.stringify({ id: `é-${index}`, fill: 'ü'.repeat(index * 17) }),
    );
    const text = `${lines.join('\n')}\n\nnot json\r\n{"id":"last"}`;
    const plain = await itemsOf(put('a.ndjson', text));
    expect(plain).toHaveLength(302);
    expect(plain.at(0)).toEqual({ value: { id: 'é-0', fill: '' } });
    expect(plain.at(-2)).toEqual({ unreadable: 'not JSON' });
    expect(plain.at(-1)).toEqual({ value: { id: 'last' } });
    expect(await itemsOf(put('b.ndjson.gz', gzipSync(text)))).toEqual(plain);
  });

  it('gives a coded error when gzip breaks off or is none', async () => {
    const whole = gzipSync(Buffer.from(JSON.stringify({ id: 'x' }).repeat(5_000)));
    for (const bytes of [whole.subarray(0, whole.length - 20), Buffer.from('plain text')]) {
      const failure = itemsOf(put('broken.ndjson.gz', bytes));
      await expect(failure).rejects.toMatchObject({ code: 'ADVISORIES_SOURCE_UNREADABLE' });
    }
  });

  it('skips a line that is too long, and goes on', async () => {
    const items = await itemsOf(
      put('long.ndjson', `{"a":"${'x'.repeat(17 * 1024 * 1024)}"}\n{"id":"next"}\n`),
    );
    expect(items).toEqual([{ unreadable: expect.stringContaining('too long') }, { value: { id: 'next' } }]);
  });
});

describe('EPSS scores', () => {
  it('reads lines after the comment and the header, and names those that are none', async () => {
    const text = '#model_version:v2025.03.14,score_date:2026-11-24\ncve,epss,percentile\n';
    const path = put('epss.csv.gz', gzipSync(`${text}CVE-2021-44228,0.94358,0.99962\nCVE-1,x\n`));
    expect(await itemsOf(path)).toEqual([
      { value: { cve: 'CVE-2021-44228', epss: 0.94358, percentile: 0.99962 } },
      { unreadable: 'not a line of EPSS' },
    ]);
  });
});

describe('zip archives', () => {
  it.each([0, 8] as const)('gives the JSON members (method %d)', async (method) => {
    const archive = zip(
      { 'a.json': '{"id":"A"}', 'readme.txt': 'x', 'b.json': 'broken', 'c.json': '{"id":"C"}' },
      method,
    );
    expect(await itemsOf(put('all.zip', archive))).toEqual([
      { value: { id: 'A' } },
      { unreadable: 'not JSON' },
      { value: { id: 'C' } },
    ]);
  });

  it('refuses a member that unpacks to more than it says', async () => {
    const archive = zip({ 'bomb.json': `{"a":"${'0'.repeat(100_000)}"}` });
    const [local, central] = [18 + 4, archive.lastIndexOf('PK\x01\x02') + 24];
    archive.writeUInt32LE(10, local);
    archive.writeUInt32LE(10, central);
    expect(await itemsOf(put('bomb.zip', archive))).toEqual([{ unreadable: 'bomb.json: damaged' }]);
  });

  it('gives records or a coded error for any damage', async () => {
    const archive = zip({ 'a.json': '{"id":"A"}', 'b.json': `{"id":"B","x":"${'y'.repeat(300)}"}` });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(archive.length - 1),
        fc.nat(255),
        fc.nat(archive.length),
        async (at, byte, length) => {
          const bytes = Buffer.from(archive);
          bytes.writeUInt8(byte, at);
          const path = put('damaged.zip', length % 3 === 0 ? bytes.subarray(0, length) : bytes);
          const outcome = await itemsOf(path).catch((error: unknown) => error);
          expect(Array.isArray(outcome) || advisoryErrors.is(outcome)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('folders', () => {
  it('finds every kind of file in a fixed order, and joins loose JSON files', async () => {
    mkdirSync(join(folder, 'inner'));
    put('b.ndjson', '{"id":"B"}');
    put('README.md', '# no data');
    put('inner/1.json', '{"id":"one"}');
    put('inner/2.json', '[{"id":"two"},{"id":"three"}]');
    put('kev.json', '{"title":"catalogue","vulnerabilities":[{"cveID":"CVE-2024-0001"}]}');
    put('a.zip', zip({ 'z.json': '{"id":"Z"}' }));
    const names = (await findSources([folder])).map(({ name }) => name);
    expect(names).toEqual(['a', 'b', 'inner', 'kev']);
    expect(await itemsOf(folder)).toEqual([
      { value: { id: 'Z' } },
      { value: { id: 'B' } },
      { value: { id: 'one' } },
      { value: { id: 'two' } },
      { value: { id: 'three' } },
      { value: { cveID: 'CVE-2024-0001' } },
    ]);
  });

  it('names a path that does not exist', async () => {
    await expect(findSources([join(folder, 'absent')])).rejects.toMatchObject({
      code: 'ADVISORIES_SOURCE_UNREADABLE',
    });
  });
});
