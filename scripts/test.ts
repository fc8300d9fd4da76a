// `npm test`: installs missing tools where it may, runs every test, and says what was skipped and why.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { TEST_TOOLS, findTool, searchPath } from './tools.ts';

const root = join(import.meta.dirname, '..');

function missingTools(): string[] {
  return Object.keys(TEST_TOOLS).filter((name) => findTool(name) === undefined);
}

let missing = missingTools();
if (missing.length > 0 && process.getuid?.() === 0 && findTool('apt-get') !== undefined) {
  console.error(`missing: ${missing.join(', ')}; installing`);
  spawnSync('sh', [join(root, 'scripts/install-test-tools.sh')], { stdio: ['ignore', 'inherit', 'inherit'] });
  missing = missingTools();
}
for (const name of missing)
  console.error(`not installed: ${name}. Skipped without it: ${TEST_TOOLS[name] ?? ''}`);

const result = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'scripts/test-summary.ts')}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', cwd: root, env: { ...process.env, PATH: searchPath().join(':') } },
);
process.exitCode = result.status ?? 1;
