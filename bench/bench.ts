// The contract of one bench.
import type { Figure } from './measure.ts';

export interface BenchOptions {
  /** A short run that shows that the bench works and looks for gross regressions, not a measurement. */
  readonly smoke: boolean;
  /** An empty folder of its own, removed afterwards. */
  readonly directory: string;
}

export interface Bench {
  readonly name: string;
  /** What is compared with what, in a line. */
  readonly title: string;
  /** Undefined when it can run here; otherwise what is missing. */
  readonly missing: () => string | undefined;
  readonly run: (options: BenchOptions) => Promise<readonly Figure[]>;
}
