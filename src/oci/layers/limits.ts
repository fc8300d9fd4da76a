// How much of a layer is read before it counts as hostile (zip bombs, endless archives).
import { GiB, KiB, MiB } from '../../core/index.ts';

export interface LayerLimits {
  /** Largest PAX header or GNU long name, in bytes. Go's archive/tar draws the same line. */
  readonly maxHeaderBytes: number;
  readonly maxEntries: number;
  /** Most uncompressed bytes. */
  readonly maxUncompressedBytes: number;
  /** Highest ratio of uncompressed to stored bytes, looked at once `ratioFloorBytes` are uncompressed. */
  readonly maxRatio: number;
  /** Below this, any ratio is fine: a layer with a large file of zeros is not an attack. */
  readonly ratioFloorBytes: number;
  /** Longest path in characters; Linux refuses longer ones (PATH_MAX). */
  readonly maxPathLength: number;
  /** Problems kept one by one; the rest is counted. */
  readonly maxProblems: number;
}

export const DEFAULT_LAYER_LIMITS: LayerLimits = {
  maxHeaderBytes: MiB,
  maxEntries: 10_000_000,
  maxUncompressedBytes: 100 * GiB,
  maxRatio: 250,
  ratioFloorBytes: 4 * GiB,
  maxPathLength: 4 * KiB,
  maxProblems: 100,
};
