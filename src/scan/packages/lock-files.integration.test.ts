// Lock files, executables and specifications made by npm, yarn, pnpm, pip, cargo and RubyGems, beside what these tools themselves list.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { z } from 'zod';
import { starterAdvisories } from '../../advisories/index.ts';
import { systemClock } from '../../core/index.ts';
import { scanDirectory } from '../scan-directory.ts';

const OBJCOPY = 'objcopy';
const RUBY = 'ruby';

const has = (tool: string, ...args: string[]): boolean =>
  spawnSync(tool, args, { stdio: 'ignore' }).status === 0;
const hasNpm = has('npm', '--version');
const hasPip = has('python3', '-m', 'pip', '--version');
const hasRuby = has(RUBY, '-e', 'Gem::Specification');
const hasCargo = has('cargo', '--version') && has(OBJCOPY, '--version');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'breakwater-locks-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function packagesIn(path: string): Promise<string[]> {
  const report = await scanDirectory(path, { advisories: starterAdvisories(), clock: systemClock });
  expect(report.problems).toEqual([]);
  return report.packages.map((item) => `${item.name}@${item.version}`).toSorted();
}

function folder(name: string): string {
  const path = join(directory, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Runs a tool that needs its registry; the test is skipped when it cannot do its work, e.g. without network. */
function runOrSkip(context: TestContext, cwd: string, tool: string, args: readonly string[]): string {
  const run = spawnSync(tool, args, { cwd, encoding: 'utf8', timeout: 90_000, maxBuffer: 1 << 26 });
  if (run.status !== 0) context.skip(`${tool} could not reach its registry`);
  return run.stdout;
}

const PROJECT = {
  name: 'app',
  version: '1.0.0',
  dependencies: { lodash: '4.17.15', alias: 'npm:minimist@1.2.0', '@babel/code-frame': '7.0.0' },
  devDependencies: { debug: '4.1.0' },
};

interface NpmTree {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly dependencies?: Readonly<Record<string, NpmTree>> | undefined;
}
const npmTree: z.ZodType<NpmTree> = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  get dependencies() {
    return z.record(z.string(), npmTree).optional();
  },
});

/** `name@version` of every package of `npm ls --json --long`, each once; an alias counts as what it stands for. */
function listedByNpm({ dependencies = {} }: NpmTree): string[] {
  const below = Object.entries(dependencies).flatMap(([name, item]) => [
    `${item.name ?? name}@${item.version}`,
    ...listedByNpm(item),
  ]);
  return [...new Set(below)].toSorted();
}

describe('beside the tools that write lock files', () => {
  it.skipIf(!hasNpm)(
    'reads package-lock.json as npm ls does, in all versions (skipped without npm)',
    async (context) => {
      for (const version of ['1', '2', '3']) {
        const root = folder(`npm-${version}`);
        writeFileSync(join(root, 'package.json'), JSON.stringify(PROJECT));
        const options = ['--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
        runOrSkip(context, root, 'npm', ['install', ...options, '--lockfile-version', version]);
        const listed = execFileSync('npm', ['ls', '--all', '--json', '--long', '--package-lock-only'], {
          cwd: root,
          encoding: 'utf8',
          maxBuffer: 1 << 26,
        });
        const found = await packagesIn(root);
        expect(found).toEqual(listedByNpm(npmTree.parse(JSON.parse(listed))));
        expect(found).toEqual(expect.arrayContaining(['lodash@4.17.15', 'minimist@1.2.0', 'debug@4.1.0']));
      }
    },
  );

  it.skipIf(!hasNpm)(
    'reads yarn.lock and pnpm-lock.yaml as their tools write them (skipped without npm)',
    async (context) => {
      const tools = {
        'yarn-1': ['yarn@1', 'install', '--ignore-scripts', '--no-progress'],
        'yarn-4': ['@yarnpkg/cli-dist@4', 'install', '--mode=update-lockfile', '--no-immutable'],
        'pnpm-7': ['pnpm@7', 'install', '--lockfile-only', '--ignore-scripts'],
        'pnpm-9': ['pnpm@9', 'install', '--lockfile-only', '--ignore-scripts'],
      };
      const results: string[][] = [];
      for (const [name, command] of Object.entries(tools)) {
        const root = folder(name);
        writeFileSync(join(root, 'package.json'), JSON.stringify(PROJECT));
        // Yarn 2 and later take a folder with a lock file for a project of its own.
        if (name === 'yarn-4') writeFileSync(join(root, 'yarn.lock'), '');
        runOrSkip(context, root, 'npx', ['--yes', ...command]);
        rmSync(join(root, 'node_modules'), { recursive: true, force: true });
        results.push(await packagesIn(root));
      }
      // The same project, resolved at the same time, is the same for all of them.
      for (const result of results) expect(result).toEqual(results[0]);
      expect(results[0]).toEqual(expect.arrayContaining(['lodash@4.17.15', 'minimist@1.2.0', 'ms@2.1.3']));
    },
  );

  it.skipIf(!hasPip)('reads the pins that pip writes (skipped without pip)', async () => {
    const root = folder('pip');
    const pip = (format: string) =>
      execFileSync('python3', ['-m', 'pip', 'list', '--format', format, '--disable-pip-version-check'], {
        encoding: 'utf8',
      });
    writeFileSync(join(root, 'requirements.txt'), pip('freeze'));
    const rows = z.array(z.object({ name: z.string(), version: z.string() })).parse(JSON.parse(pip('json')));
    expect(rows.length).toBeGreaterThan(1);
    expect(await packagesIn(root)).toEqual(rows.map(({ name, version }) => `${name}@${version}`).toSorted());
  });

  it.skipIf(!hasCargo)('reads Cargo.lock as cargo metadata does (skipped without cargo)', async (context) => {
    const root = folder('cargo');
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/main.rs'), 'fn main() {}\n');
    const dependencies = '[dependencies]\ntime = "=0.1.43"\nsmallvec = "=1.6.0"\n';
    writeFileSync(
      join(root, 'Cargo.toml'),
      `[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n${dependencies}`,
    );
    const said = runOrSkip(context, root, 'cargo', ['metadata', '--format-version', '1']);
    const schema = z.object({
      packages: z.array(z.object({ name: z.string(), version: z.string(), source: z.string().nullable() })),
    });
    const { packages } = schema.parse(JSON.parse(said));
    const expected = packages
      .filter(({ source }) => source !== null)
      .map(({ name, version }) => `${name}@${version}`);
    const found = await packagesIn(root);
    expect(found).toEqual(expected.toSorted());
    expect(found).toEqual(expect.arrayContaining(['smallvec@1.6.0', 'time@0.1.43']));
  });

  it.skipIf(!hasCargo)(
    'reads audit data in executables of cargo (skipped without cargo and objcopy)',
    async () => {
      const root = folder('audit');
      mkdirSync(join(root, 'src'));
      writeFileSync(join(root, 'src/main.rs'), 'fn main() { println!("hello"); }\n');
      writeFileSync(
        join(root, 'Cargo.toml'),
        '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
      );
      const crates = [
        { name: 'app', version: '0.1.0', source: 'local', root: true },
        { name: 'time', version: '0.1.43', source: 'crates.io' },
        { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' },
      ];
      writeFileSync(join(root, 'audit.zlib'), deflateSync(JSON.stringify({ packages: crates })));
      execFileSync('cargo', ['build', '--release', '--offline'], { cwd: root, stdio: 'ignore' });
      const built = join(root, 'target/release/app');
      const bin = folder('audit-bin');
      for (const [name, options] of [
        ['behind', []],
        ['stripped', ['--strip-all']],
        ['loaded', ['--set-section-flags', '.dep-v0=alloc,readonly,data']],
      ] as const) {
        execFileSync(OBJCOPY, [
          '--add-section',
          `.dep-v0=${join(root, 'audit.zlib')}`,
          ...options,
          built,
          join(bin, name),
        ]);
      }
      expect(readdirSync(bin)).toHaveLength(3);
      expect(readFileSync(join(bin, 'stripped')).length).toBeLessThan(readFileSync(built).length);
      const each = ['app@0.1.0', 'time@0.1.43'];
      expect(await packagesIn(bin)).toEqual([...each, ...each, ...each].toSorted());
    },
  );

  it.skipIf(!hasRuby)('reads specifications of gems as RubyGems does (skipped without ruby)', async () => {
    const root = folder('ruby');
    const ask = (script: string): string[] =>
      execFileSync(RUBY, ['-e', script], { encoding: 'utf8' }).trim().split('\n').filter(Boolean);
    const files = ask(
      'puts Gem::Specification.dirs.flat_map { |d| Dir[d + "/*.gemspec"] + Dir[d + "/default/*.gemspec"] }',
    );
    expect(files.length).toBeGreaterThan(0);
    mkdirSync(join(root, 'specifications'));
    for (const file of files) cpSync(file, join(root, 'specifications', basename(file)));
    const load = `Dir[${JSON.stringify(`${root}/specifications/*.gemspec`)}].each { |f| s = Gem::Specification.load(f); puts "#{s.name}@#{s.version}" }`;
    expect(await packagesIn(root)).toEqual(ask(load).toSorted());
  });
});
