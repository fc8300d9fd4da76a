// Background updates: a real process, a loopback mirror, and a log that tells what came of it.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentAdvisories, openAdvisories } from '../advisories/index.ts';
import { osvExport, osvRecord } from '../advisories/testing.ts';
import { silentLogger, systemClock } from '../core/index.ts';
import { type AdvisoryUpdates, startAdvisoryUpdates } from './advisory-updates.ts';

let folder: string;
let mirror: Server;
let asked: number;
let updates: AdvisoryUpdates | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-updates-'));
  asked = 0;
  mirror = createServer(({ url }, response) => {
    asked++;
    if (url === '/npm/all.zip') response.end(osvExport(osvRecord('A-1', 'left', '1.0')));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  updates?.stop();
  mirror.closeAllConnections();
  await new Promise((resolve) => mirror.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const place = (): string => currentAdvisories(folder);
function start(sources: readonly string[]): void {
  updates = startAdvisoryUpdates({
    sources: [...sources],
    mirrors: [`http://127.0.0.1:${(mirror.address() as AddressInfo).port}/`],
    cacheDirectory: dirname(place()),
    place: place(),
    everyMs: 3_600_000,
    clock: systemClock,
    logger: silentLogger(),
  });
}

describe('startAdvisoryUpdates', () => {
  it('gets advisories at once when there are none', async () => {
    start([]);
    await expect.poll(() => openAdvisories(place()).info.kind, { timeout: 20_000 }).toBe('file');
    const file = openAdvisories(place());
    expect(file.lookup('npm', 'left')).toHaveLength(1);
    file.close();
  });

  it('waits until the file is old enough', async () => {
    mkdirSync(dirname(place()), { recursive: true });
    writeFileSync(place(), 'young');
    start([]);
    await sleep(1_000);
    expect(asked).toBe(0);
    expect(statSync(place()).size).toBe(5);
  });
});
