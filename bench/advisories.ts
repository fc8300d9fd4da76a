// The advisory file: building it from all shared advisory data, opening it with a first look-up, 1,000 look-ups.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { median } from './measure.ts';
import { runProgram } from './program.ts';

const root = join(import.meta.dirname, '..');
export const ADVISORY_DATA = join(root, '../shared/advisories');

export const advisoriesBench: Bench = {
  name: 'advisories',
  title: 'build the advisory file from all data; open it and look one package up in a fresh process',
  missing: () => (existsSync(ADVISORY_DATA) ? undefined : 'no advisory data at ../shared/advisories'),
  run: async ({ smoke, directory }) => {
    const out = join(directory, 'advisories.bwadv');
    const build = await buildAdvisories(out);
    const openings: number[] = [];
    for (let i = 0; i < (smoke ? 1 : 9); i++) {
      const run = await runProgram(process.execPath, [join(import.meta.dirname, 'advisory-lookup.ts'), out]);
      openings.push(Number(run.output));
    }
    const lookups: number[] = [];
    for (let i = 0; i < (smoke ? 1 : 5); i++) {
      const run = await runProgram(process.execPath, [join(import.meta.dirname, 'advisory-lookups.ts'), out]);
      lookups.push(Number(run.output));
    }
    return [
      { name: 'build, wall time', value: build.wallSeconds, unit: 's', bar: { max: 60 } },
      { name: 'build, highest resident memory', value: build.peakMiB, unit: 'MiB', bar: { max: 1024 } },
      { name: 'file size', value: statSync(out).size / 1e6, unit: 'MB', bar: { max: 40 } },
      { name: 'open and first look-up, median', value: median(openings), unit: 'ms', bar: { max: 5 } },
      {
        name: '1,000 packages looked up, warm, median',
        value: median(lookups),
        unit: 'ms',
        bar: { max: 20 },
      },
    ];
  },
};

/** Builds the advisory file through the command line, as a user would. */
export function buildAdvisories(out: string): ReturnType<typeof runProgram> {
  return runProgram(process.execPath, [
    join(root, 'bin/breakwater.js'),
    'advisories',
    'build',
    ADVISORY_DATA,
    '--out',
    out,
  ]);
}
