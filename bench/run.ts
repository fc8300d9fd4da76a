// `npm run bench [-- NAME…] [--smoke]`: runs the benches one after another and compares each figure with its bar.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { advisoriesBench } from './advisories.ts';
import { commandLineBench } from './command-line.ts';
import { continuousBench } from './continuous.ts';
import { largeImageBench } from './large-image.ts';
import { describeFigure, reached } from './measure.ts';
import { registryBench } from './registry.ts';
import { registryMemoryBench } from './registry-memory.ts';
import { scanBench } from './scan.ts';

const benches: readonly Bench[] = [
  advisoriesBench,
  commandLineBench,
  continuousBench,
  scanBench,
  largeImageBench,
  registryBench,
  registryMemoryBench,
];

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const smoke = process.argv.includes('--smoke');
let missed = 0;

for (const bench of benches) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  const missing = bench.missing();
  console.log(`\n${bench.name}: ${bench.title}`);
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    continue;
  }
  const directory = mkdtempSync(join(tmpdir(), `breakwater-bench-${bench.name}-`));
  try {
    const before = loadavg()[0] ?? 0;
    for (const figure of await bench.run({ smoke, directory })) {
      console.log(describeFigure(figure));
      if (!reached(figure)) missed++;
    }
    console.log(
      `load before ${before.toFixed(2)}, after ${(loadavg()[0] ?? 0).toFixed(2)}${smoke ? '; smoke run: figures are not measurements' : ''}`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// A smoke run shows that the benches work; only a full run is held to the bars.
process.exitCode = missed > 0 && !smoke ? 1 : 0;
