// Which catalogers read a path: by file name, else by path, else all those that look at contents.
import type { Cataloger } from './cataloger.ts';

const NONE: readonly Cataloger[] = [];

/** Looks catalogers up. The first that knows a path by its name reads it alone; the broad ones share a file. */
export class CatalogerTable {
  readonly #byFileName = new Map<string, Cataloger[]>();
  readonly #byPath: readonly Cataloger[];
  readonly #broad: readonly Cataloger[];

  constructor(catalogers: readonly Cataloger[]) {
    for (const cataloger of catalogers) {
      for (const name of cataloger.fileNames ?? []) {
        const known = this.#byFileName.get(name);
        if (known === undefined) this.#byFileName.set(name, [cataloger]);
        else known.push(cataloger);
      }
    }
    this.#byPath = catalogers.filter((one) => one.broad !== true && one.fileNames === undefined);
    this.#broad = catalogers.filter((one) => one.broad === true);
  }

  /** Does any cataloger know the path? */
  knows(path: string): boolean {
    return this.#exact(path) !== undefined || this.#broad.some((cataloger) => cataloger.matches(path));
  }

  /** The catalogers that read the file at this path: none, one, or several broad ones. */
  of(path: string): readonly Cataloger[] {
    const exact = this.#exact(path);
    if (exact !== undefined) return [exact];
    let found: Cataloger[] | undefined;
    for (const cataloger of this.#broad) {
      if (!cataloger.matches(path)) continue;
      if (found === undefined) found = [cataloger];
      else found.push(cataloger);
    }
    return found ?? NONE;
  }

  #exact(path: string): Cataloger | undefined {
    const named = this.#byFileName.get(path.slice(path.lastIndexOf('/') + 1));
    if (named !== undefined) {
      const known = named.find((cataloger) => cataloger.matches(path));
      if (known !== undefined) return known;
    }
    return this.#byPath.find((cataloger) => cataloger.matches(path));
  }
}
