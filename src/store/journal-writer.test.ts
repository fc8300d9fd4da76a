// Group commit on a real folder: order, grouping, rotation, a folder that refuses writes and recovers.
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../core/index.ts';
import { JournalWriter } from './journal-writer.ts';
import { listSegments, readRun, segmentPath } from './journal-segment.ts';

describe('JournalWriter', () => {
  let root: string;
  let directory: string;
  let commits: number;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'breakwater-journal-'));
    directory = root;
    commits = 0;
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const open = (segmentBytes = 1 << 20, windowMs = 5): JournalWriter =>
    new JournalWriter({
      directory,
      logger: silentLogger(),
      windowMs,
      segmentBytes,
      onDurable: () => {
        commits += 1;
      },
    });

  async function numbers(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const segment of await listSegments(directory)) {
      for (let at = 0; ; ) {
        const run = await readRun(segmentPath(directory, segment), at, undefined, 100);
        if (run.frames.length === 0) break;
        found.push(...run.frames.map((frame) => frame.record['n']));
        at = run.ends.at(-1)!;
      }
    }
    return found;
  }

  it('makes all records of a tick durable with one fdatasync', async () => {
    const writer = open();
    await Promise.all(Array.from({ length: 500 }, (_, n) => writer.append('k', { n })));
    expect(commits).toBe(1);
    expect(await numbers()).toEqual(Array.from({ length: 500 }, (_, n) => n));
    await writer.close();
  });

  it('gathers what comes within the window', async () => {
    const writer = open(1 << 20, 30);
    const appended: Promise<void>[] = [];
    for (let n = 0; n < 40; n++) {
      appended.push(writer.append('k', { n }));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(appended);
    expect(commits).toBeLessThan(8);
    await writer.close();
  });

  it('begins a new segment when one is full', async () => {
    const writer = open(2_000);
    for (let n = 0; n < 100; n++) {
      const appended = writer.append('k', { n, filler: 'x'.repeat(300) });
      await writer.flush();
      await appended;
    }
    await writer.close();
    expect((await listSegments(directory)).length).toBeGreaterThan(5);
    expect(await numbers()).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('keeps records while the folder is away and writes them when it is back', async () => {
    directory = join(root, 'later');
    const writer = open();
    const appended = writer.append('k', { n: 1 });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'STORE_JOURNAL_WRITE' });
    await rename(await mkdtemp(join(root, 'made-')), directory);
    await writer.flush();
    await appended;
    expect(await numbers()).toEqual([1]);
    await writer.close();
  });

  it('refuses more than fits in memory, and everything once closed', async () => {
    directory = join(root, 'never');
    const writer = open();
    const record = { text: 'x'.repeat(100_000) };
    const results = Array.from({ length: 200 }, () =>
      writer.append('k', record).then(
        () => 'durable',
        (error: { code?: unknown }) => error.code,
      ),
    );
    await writer.close();
    const codes = await Promise.all(results);
    expect(new Set(codes)).toEqual(new Set(['STORE_JOURNAL_FULL', 'STORE_JOURNAL_WRITE']));
    await expect(writer.append('k', {})).rejects.toMatchObject({ code: 'STORE_JOURNAL_CLOSED' });
  });
});
