// Executables of the Go compiler of this machine, stripped: their build information survives.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { goBinary } from './go-binary.ts';

const installed = spawnSync('go', ['version']).status === 0;

describe.skipIf(!installed)('stripped Go executables (needs go)', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'breakwater-go-'));
    writeFileSync(join(directory, 'go.mod'), 'module example.com/tool\n\ngo 1.18\n');
    writeFileSync(
      join(directory, 'main.go'),
      'package main\n\nvar version = "dev"\n\nfunc main() { println(version) }\n',
    );
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('finds modules, the toolchain and the version that the linker set', { timeout: 120_000 }, () => {
    const output = join(directory, 'tool');
    const environment = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' };
    const flags = '-s -w -X main.version=v1.4.2';
    execFileSync('go', ['build', `-ldflags=${flags}`, '-o', output, '.'], {
      cwd: directory,
      env: environment,
    });
    const version = execFileSync('go', ['env', 'GOVERSION'], { cwd: directory, encoding: 'utf8' }).trim();
    const found = catalogFile(goBinary, 'usr/bin/tool', readFileSync(output));
    expect(found.packages.map((item) => [item.name, item.version])).toEqual([
      ['stdlib', version.replace('go', '')],
      ['example.com/tool', 'v1.4.2'],
    ]);
  });
});
