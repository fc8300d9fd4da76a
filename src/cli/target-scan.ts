// Scans whatever a target names, with progress on stderr: what `scan` and `explain` share.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AdvisoryFile } from '../advisories/index.ts';
import { systemClock } from '../core/index.ts';
import {
  fileLayerCache,
  MAX_SBOM_BYTES,
  scanDirectory,
  scanImage,
  scanSbom,
  type ScanReport,
} from '../scan/index.ts';
import type { CommandContext } from './command-line.ts';
import { readInputFile } from './input-file.ts';
import { optionText } from './option-values.ts';
import { ProgressLine } from './progress-line.ts';
import { openTarget, type ScanTarget } from './scan-target.ts';

export interface TargetScanSettings {
  readonly platform: string | undefined;
  readonly quiet: boolean;
  readonly cacheDirectory: string;
  /** Look for secrets too? */
  readonly secrets: boolean;
}

/** The options that decide how a target is read; layer results are kept in the user's cache by default. */
export function targetScanSettings(
  options: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
): TargetScanSettings {
  const cacheHome = environment['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return {
    platform: optionText(options['platform']),
    quiet: options['quiet'] === true,
    cacheDirectory: optionText(options['cacheDir']) ?? join(cacheHome, 'breakwater', 'layers'),
    secrets: Array.isArray(options['scanners']) && options['scanners'].includes('secret'),
  };
}

/** One report, or one for each image of an index. Rejects with a coded error when the target cannot be read. */
export async function scanTarget(
  target: ScanTarget,
  advisories: AdvisoryFile,
  settings: TargetScanSettings,
  { terminal, environment, interrupted }: CommandContext,
): Promise<readonly ScanReport[]> {
  const common = { advisories, clock: systemClock, signal: interrupted };
  const { secrets } = settings;
  if (target.kind === 'directory') return [await scanDirectory(target.path, { ...common, secrets })];
  if (target.kind === 'sbom') {
    return [scanSbom(await readInputFile(target.path, MAX_SBOM_BYTES), target.path, common)];
  }
  const progress = new ProgressLine(terminal, settings.quiet);
  const source = await openTarget(target, environment);
  try {
    const started = systemClock.now();
    const reports = await scanImage(source, {
      ...common,
      secrets,
      cache: fileLayerCache(settings.cacheDirectory),
      ...(settings.platform === undefined ? {} : { platform: settings.platform }),
      onProgress: ({ digest, layersDone, layersTotal }) =>
        progress.show(`${digest.slice(0, 19)}  layer ${layersDone} of ${layersTotal}`),
    });
    progress.finish(
      `${target.text}: ${summary(reports)} in ${((systemClock.now() - started) / 1000).toFixed(1)} s`,
    );
    return reports;
  } finally {
    progress.clear();
    await source.close();
  }
}

function summary(reports: readonly ScanReport[]): string {
  const layers = reports.flatMap((report) => report.image?.layers ?? []);
  const cached = layers.filter((layer) => layer.cached).length;
  const packages = reports.reduce((sum, report) => sum + report.packages.length, 0);
  return `${layers.length} layers (${cached} known), ${packages} packages`;
}
