// Reads the layers of one image, two at once and the biggest first; known layers come from the cache unread.
import {
  classifyLayerType,
  ociErrors,
  type Descriptor,
  type ImageManifest,
  type ImageSource,
} from '../oci/index.ts';
import { scanLayer } from './layer.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { secretsVersion } from './secrets/rules.ts';
import type { ScanOptions } from './scan-options.ts';
import type { LayerResult } from './types.ts';

/** What became of a layer. `foreign` is no file system layer; `unread` is one that could not be read, with the reason. */
export type ScannedLayer =
  | { readonly kind: 'read'; readonly result: LayerResult; readonly cached: boolean }
  | { readonly kind: 'foreign' | 'unread'; readonly code: string; readonly message: string };

/** Layers read at the same time. Each holds one inflated window, so this bounds the memory of a scan. */
const PARALLEL_LAYERS = 2;

type LayerOptions = Pick<ScanOptions, 'cache' | 'signal' | 'onProgress' | 'secrets'>;

/** One entry per layer of the manifest, in its order. The first layer that fails as a whole stops the others. */
export async function scanLayers(
  source: ImageSource,
  manifest: ImageManifest,
  digest: string,
  options: LayerOptions,
): Promise<readonly ScannedLayer[]> {
  const distinct = new Map<string, Descriptor>();
  for (const layer of manifest.layers) distinct.set(layer.digest, layer);
  const waiting = [...distinct.values()].toSorted((a, b) => a.size - b.size);
  const total = waiting.length;
  const done = new Map<string, ScannedLayer>();
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const worker = async (): Promise<void> => {
    for (let layer = waiting.pop(); layer !== undefined; layer = waiting.pop()) {
      if (signal.aborted) return;
      done.set(layer.digest, await scanOne(source, layer, options, signal));
      options.onProgress?.({ digest, layersDone: done.size, layersTotal: total });
    }
  };
  let first: { readonly error: unknown } | undefined;
  const guarded = async (): Promise<void> => {
    try {
      await worker();
    } catch (error) {
      first ??= { error };
      failed.abort();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LAYERS }, guarded));
  if (first !== undefined) throw first.error;
  options.signal?.throwIfAborted();
  const missing: ScannedLayer = { kind: 'unread', code: PROBLEM_CODES.unopened, message: 'not read' };
  return manifest.layers.map((layer) => done.get(layer.digest) ?? missing);
}

/** The cache is asked by the stored blob's digest, which the source verifies; never by what the configuration claims. */
async function scanOne(
  source: ImageSource,
  layer: Descriptor,
  { cache, secrets = false }: LayerOptions,
  signal: AbortSignal,
): Promise<ScannedLayer> {
  const type = classifyLayerType(layer.mediaType);
  if (type === undefined) {
    const message = `could not read: media type ${layer.mediaType} is not a file system layer`;
    return { kind: 'foreign', code: PROBLEM_CODES.mediaType, message };
  }
  if (type.encrypted) {
    return {
      kind: 'unread',
      code: PROBLEM_CODES.mediaType,
      message: 'could not read: the layer is encrypted',
    };
  }
  const known = await cache.get(layer.digest);
  if (known !== undefined && (!secrets || known.secrets?.version === secretsVersion))
    return { kind: 'read', result: known, cached: true };
  try {
    const result = await scanLayer(await source.blob(layer, signal), layer.mediaType, signal, secrets);
    if (result.complete) await cache.put(layer.digest, result);
    return { kind: 'read', result, cached: false };
  } catch (error) {
    if (type.nondistributable && ociErrors.is(error, 'OCI_NOT_FOUND')) {
      const message = 'could not read: the layer is not distributable and not stored here';
      return { kind: 'unread', code: PROBLEM_CODES.unopened, message };
    }
    throw error;
  }
}
