// The image's configuration, as far as a report shows it: platform, time, which instruction made which layer.
import { describeError } from '../core/index.ts';
import {
  MAX_CONFIG_BYTES,
  ociErrors,
  parseImageConfig,
  type Descriptor,
  type ImageConfig,
  type ImageSource,
} from '../oci/index.ts';
import { platformName } from './platform.ts';
import type { ScanProblem } from './types.ts';

export interface Configuration {
  /** Null when it could not be understood; the layers are read all the same. */
  readonly config: ImageConfig | null;
  readonly platform: string | null;
  /** As stored; null when it could not be read. */
  readonly bytes: Buffer | null;
  readonly problems: readonly ScanProblem[];
}

/** Reads the configuration. A malformed one is a problem of the report; one that cannot be fetched rejects. */
export async function readConfiguration(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Configuration> {
  if (descriptor.size > MAX_CONFIG_BYTES) return unreadable(`larger than ${MAX_CONFIG_BYTES} bytes`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of await source.blob(descriptor, signal)) {
    const bytes: unknown = chunk;
    if (!Buffer.isBuffer(bytes)) return unreadable('not bytes');
    size += bytes.length;
    if (size > MAX_CONFIG_BYTES) return unreadable(`larger than ${MAX_CONFIG_BYTES} bytes`);
    chunks.push(bytes);
  }
  try {
    const document = Buffer.concat(chunks, size);
    const config = parseImageConfig(document);
    return { config, platform: platformName(config), bytes: document, problems: [] };
  } catch (error) {
    if (ociErrors.is(error)) return unreadable(describeError(error));
    throw error;
  }
}

function unreadable(reason: string): Configuration {
  const message = `could not read the image configuration: ${reason}`;
  return {
    config: null,
    platform: null,
    bytes: null,
    problems: [{ code: 'OCI_CONFIG_INVALID', message, layer: null, path: null }],
  };
}

const MAX_INSTRUCTION = 1_000;

/**
 * The build instruction of each layer: the entries of the history that made one, in order (OCI image-spec config.md).
 * All null where the history does not fit the layers, because then nothing says which belongs to which.
 */
export function layerInstructions(config: ImageConfig | null, layers: number): readonly (string | null)[] {
  const made = config?.history.filter((entry) => !entry.emptyLayer) ?? [];
  if (made.length !== layers) return Array.from({ length: layers }, () => null);
  return made.map((entry) => entry.createdBy?.slice(0, MAX_INSTRUCTION) ?? null);
}
