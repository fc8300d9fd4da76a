// Puts a report together from composed layers, matched advisories and everything that could not be read.
import type { Clock } from '../core/index.ts';
import type { ImageManifest } from '../oci/index.ts';
import type { AdvisoryFile } from '../advisories/index.ts';
import { catalogerVersions } from './catalogers.ts';
import { composeImage, isSystemKind, type ComposedImage } from './compose.ts';
import { distributionSupport, supportNotices } from './distribution-support.ts';
import { layerInstructions, type Configuration } from './image-configuration.ts';
import type { ScannedLayer } from './image-layers.ts';
import { matchPackages } from './match.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { imageSecrets } from './secrets/image-secrets.ts';
import type { LayerResult, ReportAdvisories, ReportLayer, ScanProblem, ScanReport } from './types.ts';

export interface ReportSubject {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform: string | null;
}

interface ReportData {
  readonly advisories: AdvisoryFile;
  readonly clock: Clock;
  /** Were secrets looked for? */
  readonly secrets?: boolean;
}

/** The report of something that is no container image, or holds nothing that can be read. */
export function unscannableReport(
  target: string,
  subject: ReportSubject,
  reason: string,
  data: ReportData,
): ScanReport {
  return {
    schemaVersion: 1,
    target,
    status: 'unscannable',
    reason,
    image: { ...subject, created: null, layers: [] },
    distribution: null,
    packages: [],
    findings: [],
    problems: [],
    advisories: advisoriesOf(data, []),
    scannedAt: new Date(data.clock.now()).toISOString(),
  };
}

/** The report of an image whose layers were read. */
export function finishedReport(
  target: string,
  subject: ReportSubject,
  manifest: ImageManifest,
  configuration: Configuration,
  layers: readonly ScannedLayer[],
  data: ReportData,
): ScanReport {
  const { config } = configuration;
  const instructions = layerInstructions(config, layers.length);
  const reported = manifest.layers.map((descriptor, index): ReportLayer => {
    const layer = layers[index];
    return {
      index,
      digest: descriptor.digest,
      diffId: layer?.kind === 'read' ? layer.result.diffId : null,
      mediaType: descriptor.mediaType,
      size: descriptor.size,
      instruction: instructions[index] ?? null,
      cached: layer?.kind === 'read' && layer.cached,
    };
  });
  const results = layers.map((layer) => (layer.kind === 'read' ? layer.result : EMPTY_LAYER));
  const problems = [
    ...configuration.problems,
    ...layerProblems(layers),
    ...diffIdProblems(layers, configuration),
  ];
  const base = contentsReport(target, results, problems, data);
  return {
    ...base,
    image: { ...subject, created: config?.created ?? null, layers: reported },
    findings: base.findings.map((finding) => ({
      ...finding,
      layerDigest: reported[finding.layer]?.digest ?? null,
    })),
    ...(data.secrets === true
      ? { secrets: imageSecrets(results, configuration.bytes, reported, config?.history ?? []) }
      : {}),
  };
}

/** The report of file system contents without an image around them, e.g. of a directory. */
export function contentsReport(
  target: string,
  layers: readonly LayerResult[],
  problems: readonly ScanProblem[],
  data: ReportData,
): ScanReport {
  const composed = composeImage(layers);
  const { distribution } = composed;
  const matched = matchPackages(composed.packages, distribution, data.advisories);
  const support = distribution && distributionSupport(distribution, data.clock.now());
  const notices = [
    ...(distribution && support ? supportNotices(distribution, support) : []),
    ...matched.notices,
    ...emptinessNotices(composed),
  ];
  return {
    schemaVersion: 1,
    target,
    status: 'finished',
    reason: null,
    image: null,
    distribution,
    ...(support ? { distributionSupport: support } : {}),
    packages: composed.packages,
    findings: matched.findings,
    problems: [...problems, ...composed.problems, ...matched.problems],
    advisories: advisoriesOf(data, notices),
    scannedAt: new Date(data.clock.now()).toISOString(),
    ...(data.secrets === true ? { secrets: imageSecrets(layers, null, [], []) } : {}),
  };
}

const HOUR_MS = 3_600_000;

function advisoriesOf({ advisories, clock }: ReportData, notices: readonly string[]): ReportAdvisories {
  const { kind, digest, builtAt, advisories: count } = advisories.info;
  const age = (clock.now() - Date.parse(builtAt)) / HOUR_MS;
  return {
    kind,
    digest,
    builtAt,
    ageHours: Number.isFinite(age) ? Math.max(0, Math.round(age * 10) / 10) : 0,
    advisories: count,
    notices,
  };
}

/** An image in which nothing was found is not a clean one: say what was not there. */
function emptinessNotices({ packages, distribution }: ComposedImage): string[] {
  if (distribution !== null && !packages.some((item) => isSystemKind(item.kind))) {
    const name = distribution.prettyName;
    return [`no package database that can be read was found in ${name}: its system packages are not listed`];
  }
  return packages.length === 0 ? ['no packages were found: there was nothing to match'] : [];
}

function layerProblems(layers: readonly ScannedLayer[]): ScanProblem[] {
  return layers.flatMap((layer, index) =>
    layer.kind === 'read' ? [] : [{ code: layer.code, message: layer.message, layer: index, path: null }],
  );
}

/** What was read is what the digests say; when the configuration claims other contents, the image is inconsistent. */
function diffIdProblems(layers: readonly ScannedLayer[], { config }: Configuration): ScanProblem[] {
  if (config === null) return [];
  const code = PROBLEM_CODES.diffId;
  if (config.diffIds.length !== layers.length) {
    const message = `the configuration names ${config.diffIds.length} layers, the manifest ${layers.length}`;
    return [{ code, message, layer: null, path: null }];
  }
  return layers.flatMap((layer, index) => {
    const claimed = config.diffIds[index];
    if (layer.kind !== 'read' || layer.result.diffId === null || layer.result.diffId === claimed) return [];
    const message = `the configuration claims ${claimed ?? 'nothing'}, but the layer holds ${layer.result.diffId}`;
    return [{ code, message, layer: index, path: null }];
  });
}

const EMPTY_LAYER: LayerResult = {
  catalogers: catalogerVersions,
  diffId: null,
  complete: false,
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
