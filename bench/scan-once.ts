// Scans an OCI layout twice in this fresh process, the second time from the layer cache; prints counts and times as JSON.
import { openAdvisoryFile } from '../src/advisories/index.ts';
import { systemClock } from '../src/core/index.ts';
import { openOciLayout } from '../src/oci/index.ts';
import { fileLayerCache, scanImage } from '../src/scan/index.ts';

const [layout = '', advisoriesPath = '', cacheDirectory = ''] = process.argv.slice(2);
const advisories = openAdvisoryFile(advisoriesPath);

async function scan(): Promise<{ packages: number; findings: number; ms: number }> {
  const started = performance.now();
  const source = await openOciLayout(layout, { tag: 'latest' });
  const cache = fileLayerCache(cacheDirectory);
  const [report] = await scanImage(source, { advisories, cache, clock: systemClock });
  await source.close();
  return {
    packages: report?.packages.length ?? 0,
    findings: report?.findings.length ?? 0,
    ms: performance.now() - started,
  };
}

const first = await scan();
const second = await scan();
console.log(
  JSON.stringify({
    packages: second.packages,
    findings: second.findings,
    firstMs: first.ms,
    secondMs: second.ms,
  }),
);
