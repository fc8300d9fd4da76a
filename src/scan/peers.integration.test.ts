// What catalogers find beside what the package managers themselves say: dpkg-query, npm ls, go version -m.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { starterAdvisories } from '../advisories/index.ts';
import { systemClock } from '../core/index.ts';
import { scanDirectory } from './scan-directory.ts';
import type { ImagePackage } from './types.ts';

const DPKG_QUERY = 'dpkg-query';
const GO = 'go';

const has = (tool: string, ...args: string[]): boolean =>
  spawnSync(tool, args, { stdio: 'ignore' }).status === 0;
const hasDpkg = existsSync('/var/lib/dpkg/status') && has(DPKG_QUERY, '--version');
const hasGo = has(GO, 'version');
const hasNpm = has('npm', '--version');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'breakwater-peers-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function packagesIn(path: string): Promise<readonly ImagePackage[]> {
  const report = await scanDirectory(path, { advisories: starterAdvisories(), clock: systemClock });
  expect(report.problems).toEqual([]);
  return report.packages;
}

describe('beside package managers', () => {
  it.skipIf(!hasDpkg)(
    `lists what dpkg-query lists on this machine${hasDpkg ? '' : ' (skipped: no dpkg here)'}`,
    async () => {
      const root = join(directory, 'debian');
      mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true });
      cpSync('/var/lib/dpkg/status', join(root, 'var/lib/dpkg/status'));
      const format =
        '${db:Status-Status}|${Package}|${Version}|${Architecture}|${source:Package}|${source:Version}\\n';
      const expected = execFileSync(DPKG_QUERY, ['-W', '-f', format], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      })
        .split('\n')
        .filter((line) => line !== '' && !/^(not-installed|config-files)\|/.test(line))
        .map((line) => line.slice(line.indexOf('|') + 1));
      const found = (await packagesIn(root)).map(({ name, version, architecture, source }) =>
        [name, version, architecture, source?.name, source?.version].join('|'),
      );
      expect(expected.length).toBeGreaterThan(50);
      expect(found.toSorted()).toEqual(expected.toSorted());
    },
  );

  it.skipIf(!hasNpm)(`lists what npm ls lists${hasNpm ? '' : ' (skipped: no npm here)'}`, async () => {
    const root = join(directory, 'npm');
    const write = (path: string, content: object): void => {
      mkdirSync(join(root, path), { recursive: true });
      writeFileSync(join(root, path, 'package.json'), JSON.stringify(content));
    };
    write('.', { name: 'app', version: '1.0.0', dependencies: { a: '*', '@scope/b': '*' } });
    write('node_modules/a', { name: 'a', version: '1.2.3', dependencies: { c: '1' } });
    write('node_modules/a/dist/esm', { type: 'module' });
    write('node_modules/a/node_modules/c', { name: 'c', version: '1.0.0' });
    write('node_modules/@scope/b', { name: '@scope/b', version: '2.0.0-rc.1', dependencies: { c: '2' } });
    write('node_modules/c', { name: 'c', version: '2.0.0' });
    const listed = execFileSync('npm', ['ls', '--all', '--parseable', '--long'], {
      cwd: root,
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(':')[1]);
    const found = (await packagesIn(root)).map((item) => `${item.name}@${item.version}`);
    expect(found.toSorted()).toEqual(listed.toSorted());
    expect(found).toHaveLength(4);
  });

  it.skipIf(!hasGo)(`lists what go version -m lists${hasGo ? '' : ' (skipped: no go here)'}`, async () => {
    const root = join(directory, 'go');
    mkdirSync(join(root, 'dependency'), { recursive: true });
    writeFileSync(
      join(root, 'go.mod'),
      'module example.com/app\n\ngo 1.18\n\nrequire example.com/dependency v1.2.3\n\nreplace example.com/dependency => ./dependency\n',
    );
    writeFileSync(
      join(root, 'main.go'),
      'package main\n\nimport "example.com/dependency"\n\nfunc main() { println(dependency.Name) }\n',
    );
    writeFileSync(join(root, 'dependency/go.mod'), 'module example.com/dependency\n\ngo 1.18\n');
    writeFileSync(join(root, 'dependency/d.go'), 'package dependency\n\nvar Name = "d"\n');
    const env = {
      ...process.env,
      GOFLAGS: '-mod=mod',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
      GOPROXY: 'off',
    };
    for (const [name, system] of [
      ['elf', 'linux'],
      ['pe', 'windows'],
      ['macho', 'darwin'],
    ] as const) {
      const out = join(root, name, 'app');
      execFileSync(GO, ['build', '-ldflags=-s -w', '-o', out, '.'], {
        cwd: root,
        env: { ...env, GOOS: system },
      });
      const said = execFileSync(GO, ['version', '-m', out], { encoding: 'utf8' });
      const toolchain = /: go([\d.]+)/.exec(said)?.[1];
      expect(said).toContain('mod\texample.com/app\t(devel)');
      expect(said).toMatch(/dep\texample\.com\/dependency\tv1\.2\.3\s+=>\t\.\/dependency\t\(devel\)/);
      const found = (await packagesIn(join(root, name))).map((item) => `${item.name}@${item.version}`);
      expect(found, system).toEqual([
        'example.com/app@(devel)',
        'example.com/dependency@(devel)',
        `stdlib@${toolchain}`,
      ]);
    }
  });
});
