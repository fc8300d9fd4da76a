// Scan of a Debian root filesystem image beside `gzip -dc layer | tar t`, and a second scan of the same layers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { debianImage, debianImageMissing, writeOciLayout } from '../test/fixtures/debian-image.ts';
import { ADVISORY_DATA, buildAdvisories } from './advisories.ts';
import type { Bench } from './bench.ts';
import { median } from './measure.ts';
import { runProgram } from './program.ts';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist/cli.js');
const secondScan = z.object({
  packages: z.number(),
  findings: z.number(),
  firstMs: z.number(),
  secondMs: z.number(),
});

export const scanBench: Bench = {
  name: 'scan',
  title:
    'CPU time of a whole scan (fresh process, catalogers, matching) against gzip -dc layer | tar t; second scan from the layer cache',
  missing: () => {
    if (!existsSync(ADVISORY_DATA)) return 'no advisory data at ../shared/advisories';
    return existsSync(built) ? debianImageMissing() : 'dist/cli.js is not built (npm run build)';
  },
  run: async ({ smoke, directory }) => {
    const image = await debianImage();
    const layout = join(directory, 'layout');
    writeOciLayout(layout, [image.debian], ['debootstrap']);
    const advisories = join(directory, 'advisories.bwadv');
    await buildAdvisories(advisories);
    const ours: number[] = [];
    const withSecrets: number[] = [];
    const peer: number[] = [];
    const seconds: number[] = [];
    let last = { packages: 0, findings: 0, firstMs: 0, secondMs: 0 };
    for (let i = 0; i < (smoke ? 1 : 5); i++) {
      const cache = ['--cache-dir', join(directory, `cache-${i}`)];
      const target = `oci:${layout}:latest`;
      const command = [built, 'scan', target, '--advisories', advisories, '-o', 'json', ...cache];
      ours.push((await runProgram(process.execPath, [...command, '--scanners', 'vuln'])).cpuSeconds);
      const fresh = [...command.slice(0, -1), join(directory, `secrets-${i}`)];
      withSecrets.push((await runProgram(process.execPath, fresh)).cpuSeconds);
      const twice = [
        join(import.meta.dirname, 'scan-once.ts'),
        layout,
        advisories,
        join(directory, `twice-${i}`),
      ];
      last = secondScan.parse(JSON.parse((await runProgram(process.execPath, twice)).output));
      seconds.push(last.secondMs);
      peer.push(
        (await runProgram('sh', ['-c', 'gzip -dc "$1" | tar t | wc -l', 'sh', image.debian.file])).cpuSeconds,
      );
    }
    return [
      {
        name: 'scan, CPU time against gzip | tar',
        value: median(ours) / median(peer),
        unit: '×',
        bar: { max: 0.9 },
        detail: `${median(ours).toFixed(2)} s against ${median(peer).toFixed(2)} s; ${last.packages} packages, ${last.findings} findings; process start counted in ours`,
      },
      {
        name: 'the same with secrets',
        value: median(withSecrets) / median(peer),
        unit: '×',
        bar: { max: 2 },
        detail: `${median(withSecrets).toFixed(2)} s`,
      },
      { name: 'second scan of the same layers', value: median(seconds), unit: 'ms', bar: { max: 100 } },
    ];
  },
};
