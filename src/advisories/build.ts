// `advisories build`: sources of OSV records and CVE facts to one advisory file.
import type { Clock } from '../core/index.ts';
import { BreakwaterError, describeError } from '../core/index.ts';
import { AdvisoryCollector } from './collector.ts';
import { advisoryErrors } from './errors.ts';
import { writeAdvisoryFile } from './file/write.ts';
import { type AdvisorySource, findSources, type NamedPath } from './sources/index.ts';
import type { AdvisoryFileInfo, AdvisorySourceInfo } from './types.ts';

/** How far a build is. `reading` comes once per source when it is done, `writing` once. */
export type BuildProgress =
  | {
      readonly step: 'reading';
      readonly source: AdvisorySourceInfo;
      readonly done: number;
      readonly total: number;
    }
  | { readonly step: 'writing'; readonly advisories: number };

export interface BuildOptions {
  readonly clock: Clock;
  readonly onProgress?: (progress: BuildProgress) => void;
}

export interface BuildResult {
  readonly info: AdvisoryFileInfo;
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Examples of records that could not be read, a few per source; the counts are in `info.sources`. */
  readonly problems: readonly string[];
}

const PROBLEMS_PER_SOURCE = 5;

/**
 * Builds an advisory file from directories or files of OSV records (`.ndjson.gz`, `.ndjson`, `.json`, `.zip`), CISA
 * KEV entries, EPSS scores and CVE facts. Bad records are counted and left out. The same sources and clock give the same bytes. The
 * file appears at `outPath` complete or not at all. Throws ADVISORIES_SOURCE_UNREADABLE, _SOURCE_EMPTY, _BUILD_FAILED.
 */
export async function buildAdvisoryFile(
  paths: readonly (string | NamedPath)[],
  outPath: string,
  options: BuildOptions,
): Promise<BuildResult> {
  const collector = new AdvisoryCollector();
  const problems: string[] = [];
  const sources: AdvisorySourceInfo[] = [];
  const found = await findSources(paths);
  for (const source of found) {
    sources.push(await collect(source, collector, problems));
    const [last] = sources.slice(-1);
    if (last !== undefined) {
      options.onProgress?.({ step: 'reading', source: last, done: sources.length, total: found.length });
    }
  }
  if (collector.advisories === 0)
    throw advisoryErrors.create('ADVISORIES_SOURCE_EMPTY', {
      path: paths.map((given) => (typeof given === 'string' ? given : given.name)).join(', '),
    });
  options.onProgress?.({ step: 'writing', advisories: collector.advisories });
  const builtAt = new Date(options.clock.now()).toISOString();
  try {
    const written = await writeAdvisoryFile(collector, outPath, { builtAt, sources });
    const { ecosystems: _ecosystems, ...info } = written.info;
    return { info: { kind: 'file', digest: written.digest, ...info }, bytes: written.bytes, problems };
  } catch (error) {
    if (error instanceof BreakwaterError) throw error;
    const reason = describeError(error);
    throw advisoryErrors.create('ADVISORIES_BUILD_FAILED', { path: outPath, reason }, error);
  }
}

async function collect(
  source: AdvisorySource,
  collector: AdvisoryCollector,
  problems: string[],
): Promise<AdvisorySourceInfo> {
  let records = 0;
  let rejected = 0;
  let newest: string | null = null;
  for await (const batch of source.batches()) {
    for (const item of batch) {
      const outcome = 'value' in item ? collector.add(item.value, source.name) : undefined;
      if (outcome === undefined || outcome.kind === 'rejected') {
        rejected++;
        const reason = 'unreadable' in item ? item.unreadable : 'no OSV record, KEV entry or CVE line';
        if (rejected <= PROBLEMS_PER_SOURCE) problems.push(`${source.name}: ${reason}`);
        continue;
      }
      records++;
      const date = outcome.kind === 'advisory' ? outcome.date : null;
      if (date !== null && (newest === null || date > newest)) newest = date;
    }
  }
  return { name: source.name, records, rejected, newest };
}
