// Matches the packages that an SBOM lists, as if they had been found in an image.
import { describeError, MiB, type Clock } from '../../core/index.ts';
import type { AdvisoryFile } from '../../advisories/index.ts';
import { catalogerVersions } from '../catalogers.ts';
import { scanErrors } from '../errors.ts';
import { PROBLEM_CODES } from '../problem-codes.ts';
import { contentsReport } from '../report.ts';
import type { CatalogedPackage, LayerResult, ScanProblem, ScanReport } from '../types.ts';
import type { SbomContents } from './contents.ts';
import { readCyclonedx } from './cyclonedx.ts';
import { readSpdx } from './spdx.ts';
import { readSyft } from './syft.ts';

/** Largest SBOM read, in bytes. */
export const MAX_SBOM_BYTES = 128 * MiB;

const MAX_COMPONENTS = 500_000;

export interface SbomScanOptions {
  readonly advisories: AdvisoryFile;
  readonly clock: Clock;
}

/**
 * The report of an SBOM: CycloneDX JSON 1.4–1.6, SPDX 2.3 JSON or Syft JSON. Layers and files are those that the
 * document tells of; without an image around them they have no digests.
 * @throws SCAN_SBOM_INVALID
 */
export function scanSbom(bytes: Uint8Array, file: string, options: SbomScanOptions): ScanReport {
  const contents = parseSbom(bytes, file);
  const problems: ScanProblem[] = [];
  if (contents.skipped > 0) {
    const message = `${contents.skipped} components of the ${contents.format} document have no package URL that can be matched`;
    problems.push({ code: PROBLEM_CODES.unreadable, message, layer: null, path: null });
  }
  return contentsReport(`sbom:${file}`, layersOf(contents), problems, options);
}

/** Reads an SBOM of any of the three formats. @throws SCAN_SBOM_INVALID */
export function parseSbom(bytes: Uint8Array, file: string): SbomContents {
  const refuse = (reason: string, cause?: unknown): Error =>
    scanErrors.create('SCAN_SBOM_INVALID', { file, reason: reason.slice(0, 300) }, cause);
  if (bytes.length > MAX_SBOM_BYTES) throw refuse(`it is larger than ${MAX_SBOM_BYTES / MiB} MiB`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse(`it is not JSON (${describeError(error)})`, error);
  }
  const contents = read(value, file);
  if (contents === undefined) throw refuse('it is neither CycloneDX nor SPDX nor Syft JSON');
  if (typeof contents === 'string') throw refuse(contents);
  return contents;
}

function read(value: unknown, file: string): SbomContents | string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('bomFormat' in value && value.bomFormat === 'CycloneDX')
    return readCyclonedx(value, file, MAX_COMPONENTS);
  if ('spdxVersion' in value) return readSpdx(value, file, MAX_COMPONENTS);
  return 'artifacts' in value ? readSyft(value, file, MAX_COMPONENTS) : undefined;
}

/** The layers that the packages name, so that composing and matching go the way of an image. */
function layersOf({ packages, distribution }: SbomContents): readonly LayerResult[] {
  const byLayer = Map.groupBy(packages, (item) => item.layer);
  const last = Math.max(0, ...byLayer.keys());
  return Array.from({ length: last + 1 }, (_, index): LayerResult => {
    const own = byLayer.get(index) ?? [];
    const owned = own.flatMap(({ path, ownedBy }) =>
      ownedBy === undefined ? [] : [[path, ownedBy] as const],
    );
    return {
      ...EMPTY,
      packages: own.map(({ layer: _layer, ownedBy: _owner, ...item }): CatalogedPackage => item),
      distributions: index === 0 && distribution ? [{ path: 'etc/os-release', release: distribution }] : [],
      owned: Object.fromEntries(owned),
    };
  });
}

const EMPTY: LayerResult = {
  catalogers: catalogerVersions,
  diffId: null,
  complete: true,
  size: 0,
  uncompressedSize: 0,
  packages: [],
  distributions: [],
  whiteouts: [],
  opaque: [],
  evidence: [],
  owned: {},
  problems: [],
};
