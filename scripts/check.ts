// `npm run check`: everything a reviewer runs, in order: types, lint, format, unused code, architecture and documentation tests.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', bin('tsc'), '--noEmit', '-p', '.'],
  ['lint', bin('oxlint'), '--type-aware', '--deny-warnings', '.'],
  ['format', bin('biome'), 'format', '.'],
  ['unused code', bin('knip')],
  [
    'architecture and documentation',
    bin('vitest'),
    'run',
    'test/architecture.test.ts',
    'test/documentation.test.ts',
  ],
];

let failures = 0;
for (const [name, command, ...args] of steps) {
  const started = Date.now();
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const passed = result.status === 0;
  if (!passed) failures++;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}
process.exitCode = failures === 0 ? 0 : 1;
