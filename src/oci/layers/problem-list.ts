// Collects what could not be read of one layer, bounded however many problems a hostile layer has.
import type { LayerProblem, LayerProblemCode } from '../types.ts';

const MAX_SHOWN_PATH = 256;

/** The problems of one layer: the first `limit` one by one, the rest as a count. */
export class ProblemList {
  readonly #limit: number;
  readonly #problems: LayerProblem[] = [];
  readonly #once = new Set<LayerProblemCode>();
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(code: LayerProblemCode, message: string, path: string | null = null): void {
    if (this.#problems.length >= this.#limit) {
      this.#dropped++;
      return;
    }
    const shown = path !== null && path.length > MAX_SHOWN_PATH ? `${path.slice(0, MAX_SHOWN_PATH)}…` : path;
    this.#problems.push({ code, message, path: shown });
  }

  /** For what is common and harmless: only the first of its kind is kept. */
  addOnce(code: LayerProblemCode, message: string, path: string | null = null): void {
    if (this.#once.has(code)) return;
    this.#once.add(code);
    this.add(code, message, path);
  }

  /** Everything added, with a last entry that counts what was left out. */
  toList(): readonly LayerProblem[] {
    if (this.#dropped === 0) return this.#problems;
    const message = `${this.#dropped} more problems are not listed`;
    return [...this.#problems, { code: 'OCI_LAYER_MORE_PROBLEMS', message, path: null }];
  }
}
