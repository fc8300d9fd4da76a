// Scans an image from wherever it can be read: one report for one platform, one per child of an index.
import { MAX_LAYERS } from '../core/index.ts';
import {
  isContainerImage,
  isIndexType,
  ociErrors,
  parseManifest,
  type Descriptor,
  type ImageManifest,
  type ImageSource,
  type Manifest,
} from '../oci/index.ts';
import { scanErrors } from './errors.ts';
import { readConfiguration, type Configuration } from './image-configuration.ts';
import { scanLayers } from './image-layers.ts';
import { isAttestation, matchesPlatform, platformName } from './platform.ts';
import { finishedReport, unscannableReport } from './report.ts';
import type { ScanOptions } from './scan-options.ts';
import type { ScanReport } from './types.ts';

/** Most images of one index that are scanned in one go. */
const MAX_IMAGES = 200;
/** An index may hold indexes; deeper ones than this are refused. */
const MAX_DEPTH = 3;

interface Candidate {
  readonly descriptor: Pick<Descriptor, 'digest' | 'mediaType'>;
  readonly manifest: Manifest | 'absent';
  readonly platform: string | null;
}

/**
 * Scans an image. What is not a container image gives an `unscannable` report with its reason, never an empty clean
 * one. Rejects with a coded error when the image cannot be read as what it claims to be (wrong digest or size, no
 * such manifest, endless layer) or when `signal` is aborted.
 */
export async function scanImage(source: ImageSource, options: ScanOptions): Promise<ScanReport[]> {
  const root = await source.root();
  const candidates: Candidate[] = [];
  const manifest = parseManifest(root.bytes, root.mediaType);
  await collect(source, { descriptor: root, manifest, platform: null }, options, candidates, 0);
  if (candidates.length === 0) {
    if (options.platform !== undefined && manifest.kind === 'index') {
      const available = manifest.manifests.map((child) => platformName(child.platform) ?? 'unknown');
      throw scanErrors.create('SCAN_NO_SUCH_PLATFORM', {
        platform: options.platform,
        available: available.slice(0, 20).join(', ') || 'none',
      });
    }
    const about = { digest: root.digest, mediaType: root.mediaType, platform: null };
    return [unscannableReport(source.target, about, 'the index names no container images', options)];
  }
  const reports: ScanReport[] = [];
  for (const candidate of candidates) reports.push(await scanCandidate(source, candidate, options));
  return reports;
}

async function collect(
  source: ImageSource,
  candidate: Candidate,
  options: ScanOptions,
  into: Candidate[],
  depth: number,
): Promise<void> {
  const { manifest } = candidate;
  if (manifest === 'absent' || manifest.kind === 'image') {
    if (into.length >= MAX_IMAGES) throw scanErrors.create('SCAN_TOO_MANY_IMAGES', { limit: MAX_IMAGES });
    into.push(candidate);
    return;
  }
  if (depth >= MAX_DEPTH) throw scanErrors.create('SCAN_INDEX_TOO_DEEP', { limit: MAX_DEPTH });
  for (const child of manifest.manifests) {
    options.signal?.throwIfAborted();
    if (isAttestation(child)) continue;
    if (options.platform !== undefined && !isIndexType(child.mediaType)) {
      if (!matchesPlatform(child.platform, options.platform)) continue;
    }
    const found = await childManifest(source, child);
    const platform = platformName(child.platform);
    await collect(source, { descriptor: child, manifest: found, platform }, options, into, depth + 1);
  }
}

async function childManifest(source: ImageSource, child: Descriptor): Promise<Manifest | 'absent'> {
  try {
    return parseManifest(await source.manifest(child), child.mediaType);
  } catch (error) {
    if (ociErrors.is(error, 'OCI_NOT_FOUND')) return 'absent';
    throw error;
  }
}

async function scanCandidate(
  source: ImageSource,
  { descriptor, manifest, platform }: Candidate,
  options: ScanOptions,
): Promise<ScanReport> {
  const about = { digest: descriptor.digest, mediaType: descriptor.mediaType, platform };
  const refuse = (reason: string): ScanReport => unscannableReport(source.target, about, reason, options);
  if (manifest === 'absent') return refuse('the index names this image, but it is not stored');
  if (manifest.kind !== 'image' || !isContainerImage(manifest)) {
    const type = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : '');
    return refuse(`it is an artifact (${type}), not a container image`);
  }
  if (manifest.layers.length > MAX_LAYERS) {
    throw scanErrors.create('SCAN_TOO_MANY_LAYERS', { count: manifest.layers.length, limit: MAX_LAYERS });
  }
  const configuration = await readConfiguration(source, manifest.config, options.signal);
  const actual = configuration.platform ?? platform;
  if (options.platform !== undefined && platform === null) requirePlatform(configuration, options.platform);
  const layers = await scanLayers(source, manifest, descriptor.digest, options);
  if (manifest.layers.length > 0 && layers.every((layer) => layer.kind === 'foreign')) {
    return refuse(`it holds no file system layers (${mediaTypes(manifest)})`);
  }
  return finishedReport(
    source.target,
    { ...about, platform: actual },
    manifest,
    configuration,
    layers,
    options,
  );
}

function requirePlatform(configuration: Configuration, wanted: string): void {
  const { config } = configuration;
  if (config === null || matchesPlatform(config, wanted)) return;
  const available = configuration.platform ?? 'unknown';
  throw scanErrors.create('SCAN_NO_SUCH_PLATFORM', { platform: wanted, available });
}

function mediaTypes(manifest: ImageManifest): string {
  return [...new Set(manifest.layers.map((layer) => layer.mediaType))].slice(0, 5).join(', ');
}
