// `advisories update` from the command line: where the file goes, who finds it, and how failures end.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordedRun } from '../testing/recorded-run.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
let source: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-update-'));
  environment = { XDG_CACHE_HOME: join(folder, 'cache') };
  source = join(folder, 'osv.json');
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }];
  const affected = [{ package: { ecosystem: 'npm', name: 'left' }, ranges }];
  writeFileSync(source, JSON.stringify({ id: 'A-1', modified: '2026-01-01T00:00:00Z', affected }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('advisories update', () => {
  it('puts the file where status, lookup and the server look', async () => {
    const before = await recordedRun(['advisories', 'status'], environment);
    expect(before.out).toContain('starter advisories');
    const data = join(folder, 'data');
    const run = await recordedRun(
      ['advisories', 'update', '--source', source, '--data', data, '-o', 'json'],
      environment,
    );
    expect([run.code, run.err]).toEqual([0, '']);
    expect(JSON.parse(run.out)).toMatchObject({ kind: 'installed', warnings: [], info: { advisories: 1 } });
    expect(existsSync(join(data, 'advisories', 'current.bwadv'))).toBe(true);
    const after = await recordedRun(['advisories', 'status'], environment);
    expect(after.out).toContain('1 advisories about 1 packages');
    const lookup = await recordedRun(['advisories', 'lookup', 'npm/left@1.0.0'], environment);
    expect(lookup.out).toContain('2.0.0');
  });

  it('fails without a network only when there is nothing to keep', async () => {
    const offline = ['advisories', 'update', '--mirror', 'http://127.0.0.1:9/', '--quiet'];
    const first = await recordedRun(offline, environment);
    expect(first.code).toBe(3);
    expect(first.err).toContain('ADVISORIES_UPDATE_FAILED');
    await recordedRun(['advisories', 'update', '--source', source], environment);
    const second = await recordedRun(offline, environment);
    expect(second.code).toBe(0);
    expect(second.err).toContain('offline');
    expect(second.out).toContain('stays: 1 advisories');
  });

  it.each([
    ['--feed', 'nope', 'ADVISORIES_FEED_UNKNOWN'],
    ['--mirror', 'ftp://host/', 'CLI_USAGE'],
  ])('refuses %s %s', async (option, value, code) => {
    const run = await recordedRun(['advisories', 'update', option, value], environment);
    expect(run.code).toBe(2);
    expect(run.err).toContain(code);
  });
});
