// `updateAdvisories` from mirrors, directories and files: what is installed, what is kept, what is told.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAdvisoryFile } from '../file/read.ts';
import { openAdvisories } from '../installed.ts';
import { osvExport, osvRecord } from '../testing.ts';
import { currentAdvisories } from './locations.ts';
import { type UpdateOptions, updateAdvisories } from './update.ts';

let folder: string;
let server: Server;
let mirror: URL;
let files: Map<string, Buffer>;
let status: number;
let now: number;

const KEV = { cveID: 'CVE-2024-1', dateAdded: '2024-05-06', knownRansomwareCampaignUse: 'Known' };
const npmRecord = { ...osvRecord('GHSA-1', 'left', '1.0'), aliases: ['CVE-2024-0001'] };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-update-'));
  status = 200;
  now = Date.parse('2026-11-24T00:00:00Z');
  files = new Map([
    ['/feeds/npm/all.zip', osvExport(npmRecord)],
    ['/feeds/Red%20Hat/all.zip', osvExport(osvRecord('RHSA-1', 'right', '2.0'))],
    [
      '/feeds/known_exploited_vulnerabilities.json',
      Buffer.from(JSON.stringify({ vulnerabilities: [{ ...KEV, cveID: 'CVE-2024-0001' }] })),
    ],
    [
      '/feeds/epss_scores-current.csv.gz',
      gzipSync('#model_version:v1\ncve,epss,percentile\nCVE-2024-0001,0.5,0.97\n'),
    ],
  ]);
  server = createServer(({ url, headers }, response) => {
    const bytes = files.get(url ?? '');
    if (status !== 200) response.writeHead(status, { 'retry-after': '0' }).end();
    else if (bytes === undefined) response.writeHead(404).end();
    else if (headers['if-none-match'] === `"${bytes.length}"`) response.writeHead(304).end();
    else response.writeHead(200, { etag: `"${bytes.length}"` }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/feeds`);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const place = (): string => currentAdvisories(folder);
const update = (more: Partial<UpdateOptions> = {}) =>
  updateAdvisories({
    sources: [],
    feeds: ['npm', 'redhat', 'kev', 'epss'],
    mirrors: [mirror],
    cacheDirectory: join(folder, 'advisories'),
    places: [place()],
    clock: { now: () => now },
    pause: () => Promise.resolve(),
    openRegistry: () => Promise.reject(new Error('no registry here')),
    ...more,
  });

describe('updateAdvisories', () => {
  it('builds the current file from all feeds, with what they say of exploits', async () => {
    expect(openAdvisories(place()).info.kind).toBe('starter');
    const steps: string[] = [];
    const outcome = await update({
      onProgress: (step) => steps.push('feed' in step ? step.feed : step.step),
    });
    expect(outcome).toMatchObject({ kind: 'installed', warnings: [] });
    expect(steps.toSorted().slice(0, 4)).toEqual(['epss', 'kev', 'npm', 'reading']);
    const file = openAdvisories(place());
    expect(file.info).toMatchObject({ kind: 'file', advisories: 2, builtAt: '2026-11-24T00:00:00.000Z' });
    expect(file.info.sources.map(({ name }) => name)).toEqual(['kev', 'epss', 'npm', 'redhat']);
    expect(file.facts('GHSA-1')).toMatchObject({
      exploited: true,
      kev: { added: '2024-05-06', ransomware: true },
      epss: 0.5,
      epssPercentile: 0.97,
      exploitMaturity: 'attacked',
    });
    file.close();
    expect(readdirSync(join(folder, 'advisories')).toSorted()).toEqual(['current.bwadv', 'downloads']);
  });

  it('counts the age of the data from when its publisher last confirmed it', async () => {
    await update();
    now += 3_600_000;
    expect((await update()).info.builtAt).toBe('2026-11-24T01:00:00.000Z');
    now += 3_600_000;
    files.set('/feeds/npm/all.zip', Buffer.from('<html>'));
    const { kind, info, warnings } = await update();
    expect([kind, info.builtAt]).toEqual(['installed', '2026-11-24T01:00:00.000Z']);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^npm could not be downloaded, the copy of 2026-11-24T01:00:00.000Z is used: .*something else/,
      ),
    ]);
  });

  it.each([429, 500])('uses its copies, with a warning, when every answer is %d', async (code) => {
    await update();
    status = code;
    const outcome = await update();
    expect(outcome.kind).toBe('installed');
    expect(outcome.warnings).toHaveLength(4);
  });

  it('keeps the file in place when a feed is missing, and installs what there is when there is none', async () => {
    files.delete('/feeds/npm/all.zip');
    const first = await update();
    expect([first.kind, first.info.advisories]).toEqual(['installed', 1]);
    expect(first.warnings[0]).toMatch(/^npm could not be downloaded, there is no copy of it: .*404/);
    const before = readFileSync(place());
    expect(await update()).toMatchObject({
      kind: 'kept',
      warnings: [expect.anything(), 'not updated: npm would be missing'],
    });
    expect(readFileSync(place()).equals(before)).toBe(true);
  });

  it('says that the machine is offline, and fails only without a file', async () => {
    const nowhere = { mirrors: [new URL('http://127.0.0.1:9/')] };
    await expect(update(nowhere)).rejects.toMatchObject({
      code: 'ADVISORIES_UPDATE_FAILED',
      exit: 3,
      message: expect.stringContaining('seems to be offline'),
    });
    writeFileSync(join(folder, 'a.json'), JSON.stringify(npmRecord));
    await update({ sources: [join(folder, 'a.json')] });
    const outcome = await update(nowhere);
    expect(outcome.kind).toBe('kept');
    expect(outcome.warnings).toEqual([expect.stringContaining('seems to be offline')]);
  });

  it('takes a compiled file from a path or an address, whole or not at all, and puts it in every place', async () => {
    await update();
    const copy = join(folder, 'copy.bwadv');
    writeFileSync(copy, readFileSync(place()));
    const places = [join(folder, 'a', 'one.bwadv'), join(folder, 'b', 'two.bwadv')] as const;
    expect(await update({ sources: [copy], places })).toMatchObject({ kind: 'installed' });
    for (const path of places) {
      const file = openAdvisoryFile(path);
      expect(file.info.advisories).toBe(2);
      file.close();
    }
    files.set('/feeds/latest.bwadv', readFileSync(copy));
    const address = `${mirror.href}/latest.bwadv`;
    expect(await update({ sources: [address], places })).toMatchObject({ kind: 'installed', warnings: [] });
    const damaged = readFileSync(copy);
    damaged.writeUInt8(damaged.readUInt8(40) ^ 0xff, 40);
    writeFileSync(copy, damaged);
    await expect(update({ sources: [copy], places })).rejects.toMatchObject({
      code: 'ADVISORIES_FILE_CORRUPT',
    });
    expect(readFileSync(places[0]).equals(readFileSync(places[1]))).toBe(true);
    await expect(update({ sources: [copy, folder], places })).rejects.toMatchObject({
      code: 'ADVISORIES_SOURCES_MIXED',
    });
  });

  it('refuses unknown feeds and addresses that do not say what they are', async () => {
    await expect(update({ feeds: ['nope'] })).rejects.toMatchObject({
      code: 'ADVISORIES_FEED_UNKNOWN',
      exit: 2,
    });
    await expect(update({ sources: [`${mirror.href}/data`] })).rejects.toMatchObject({
      code: 'ADVISORIES_SOURCE_UNREADABLE',
    });
    expect(existsSync(place())).toBe(false);
  });
});
