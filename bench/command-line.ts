// Start-up of the published command line beside bare Node.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { median } from './measure.ts';
import { runProgram } from './program.ts';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist/cli.js');

export const commandLineBench: Bench = {
  name: 'command-line',
  title: '`breakwater --help`, bundled, beside `node -e 0`',
  missing: () => (existsSync(built) ? undefined : 'dist/cli.js is not built (npm run build)'),
  run: async ({ smoke }) => {
    const ours: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < (smoke ? 3 : 15); i++) {
      ours.push((await runProgram(process.execPath, [built, '--help'])).wallSeconds * 1000);
      bare.push((await runProgram(process.execPath, ['-e', '0'])).wallSeconds * 1000);
    }
    return [
      { name: 'breakwater --help, median', value: median(ours), unit: 'ms', bar: { max: 150 } },
      {
        name: 'against bare node',
        value: median(ours) / median(bare),
        unit: '×',
        detail: `${median(bare).toFixed(0)} ms for node -e 0`,
      },
    ];
  },
};
