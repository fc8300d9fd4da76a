// What a scan of an image is given, and how it tells its progress.
import type { Clock } from '../core/index.ts';
import type { AdvisoryFile } from '../advisories/index.ts';
import type { LayerCache } from './types.ts';

/** How far along a scan is. */
export interface ScanProgress {
  /** The image that is being scanned. */
  readonly digest: string;
  readonly layersDone: number;
  readonly layersTotal: number;
}

export interface ScanOptions {
  /** `os/architecture[/variant]`; without it every image of an index is scanned. */
  readonly platform?: string;
  readonly advisories: AdvisoryFile;
  readonly cache: LayerCache;
  readonly clock: Clock;
  /** Look for secrets too; default false. */
  readonly secrets?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ScanProgress) => void;
}
