// One streaming pass over one layer: every cataloger at once, whiteouts, evidence and ownership (OCI image-spec layer.md).
import type { Readable } from 'node:stream';
import { describeError } from '../core/index.ts';
import { readLayer, type EntryInterest, type LayerEntry, type LayerVisitor } from '../oci/index.ts';
import type { Cataloger, CatalogSink, ContentReader, FileReading } from './cataloger.ts';
import type { CatalogerTable } from './cataloger-table.ts';
import { catalogerTables, catalogerVersions, type ScanScope } from './catalogers.ts';
import { mergedPath } from './merged-path.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { LayerSecretSearch } from './secrets/layer-search.ts';
import type { CatalogedPackage, DistributionRelease, LayerResult, ScanProblem } from './types.ts';

const MAX_PACKAGES = 200_000;
/** Paths of evidence, of whiteouts and of ownership that are kept of one layer, each. */
const MAX_PATHS = 300_000;
const MAX_PROBLEMS = 500;
const NOTHING: EntryInterest = { want: 'nothing' };

/**
 * Reads a layer's stored bytes once and says what is in it. Memory is bounded whatever the layer holds.
 * Rejects with the layer reader's coded errors, e.g. when the bytes do not match the digest or inflate without end.
 */
export async function scanLayer(
  stream: Readable,
  mediaType: string,
  signal?: AbortSignal,
  secrets = false,
): Promise<LayerResult> {
  const catalog = new LayerCatalog('image', secrets);
  const summary = await readLayer(stream, mediaType, catalog, signal ? { signal } : {});
  const { diffId, complete, size, uncompressedSize } = summary;
  for (const { code, message, path } of summary.problems) catalog.problem(code, message, path);
  return { catalogers: catalogerVersions, diffId, complete, size, uncompressedSize, ...catalog.contents() };
}

type LayerContents = Omit<LayerResult, 'catalogers' | 'diffId' | 'complete' | 'size' | 'uncompressedSize'>;

/** Collects what the catalogers find in the entries of one layer, or of a directory walked as one. */
export class LayerCatalog implements LayerVisitor {
  readonly #packages = new Map<string, CatalogedPackage[]>();
  readonly #distributions = new Map<string, DistributionRelease>();
  readonly #whiteouts = new Set<string>();
  readonly #opaque = new Set<string>();
  readonly #evidence = new Set<string>();
  readonly #owners = new Map<string, string>();
  readonly #problems: ScanProblem[] = [];
  readonly #full = new Set<string>();
  readonly #catalogers: CatalogerTable;
  readonly #secrets: LayerSecretSearch | undefined;
  #packageCount = 0;

  constructor(scope: ScanScope = 'image', secrets = false) {
    this.#catalogers = catalogerTables[scope];
    this.#secrets = secrets
      ? new LayerSecretSearch((reason, path) =>
          this.problem(PROBLEM_CODES.secretsPartial, `could not search for secrets: ${reason}`, path),
        )
      : undefined;
  }

  /** What is wanted of an entry. Never throws. */
  entry(entry: LayerEntry): EntryInterest {
    const wanted = this.#catalogInterest(entry);
    return this.#secrets === undefined ? wanted : this.#secrets.watch(entry, wanted);
  }

  #catalogInterest(entry: LayerEntry): EntryInterest {
    if (entry.type === 'directory') return NOTHING;
    if (entry.type === 'whiteout' || entry.type === 'opaque') {
      this.#add(entry.type === 'opaque' ? this.#opaque : this.#whiteouts, entry.target ?? '');
      return NOTHING;
    }
    const catalogers = this.#catalogers.of(entry.path);
    if (catalogers.length === 0 && entry.type === 'file') return NOTHING;
    this.#replace(entry.path);
    if (entry.type === 'hardlink') this.#link(entry, catalogers[0]);
    if (entry.type !== 'file') return NOTHING;
    const interests: EntryInterest[] = [];
    for (const cataloger of catalogers) {
      const reading = cataloger.reading(entry);
      if (reading !== undefined) interests.push(this.#interest(entry.path, reading));
    }
    return interests.length > 1 ? together(interests) : (interests[0] ?? NOTHING);
  }

  problem(code: string, message: string, path: string | null): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ code, message, layer: null, path });
    else this.#overflow('problems');
  }

  contents(): LayerContents {
    return {
      packages: [...this.#packages.values()].flat(),
      distributions: [...this.#distributions].map(([path, release]) => ({ path, release })),
      whiteouts: [...this.#whiteouts],
      opaque: [...this.#opaque],
      evidence: [...this.#evidence],
      owned: this.#owned(),
      ...(this.#secrets === undefined ? {} : { secrets: this.#secrets.results(mergedPath) }),
      problems: this.#problems,
    };
  }

  /** Whatever stood at this path, in lower layers or earlier in this one, is gone. */
  #replace(path: string): void {
    this.#add(this.#evidence, path);
    const before = this.#packages.get(path);
    if (before !== undefined) {
      this.#packageCount -= before.length;
      this.#packages.delete(path);
    }
    this.#distributions.delete(path);
  }

  /** A hard link has the content of an earlier entry, so its packages too. */
  #link(entry: LayerEntry, cataloger: Cataloger | undefined): void {
    const target = (entry.linkName ?? '').replace(/^(?:\.?\/)+/, '');
    const linked = this.#packages.get(target);
    if (linked !== undefined) {
      for (const item of linked) this.#addPackage({ ...item, path: entry.path });
      return;
    }
    const release = this.#distributions.get(target);
    if (release !== undefined) this.#distributions.set(entry.path, release);
    else if (cataloger !== undefined && cataloger.broad !== true && !this.#evidence.has(target)) {
      this.problem(
        PROBLEM_CODES.hardLink,
        'could not read: hard link to a file that was not read',
        entry.path,
      );
    }
  }

  #interest(path: string, reading: FileReading): EntryInterest {
    const sink = this.#sink(path);
    if (reading.how === 'whole') {
      const { limit } = reading;
      return {
        want: 'bytes',
        limit,
        onBytes: (bytes) => this.#guard(path, () => reading.read(bytes, sink)),
        onTooLarge: () =>
          this.problem(PROBLEM_CODES.tooLarge, `could not read: larger than ${limit} bytes`, path),
      };
    }
    const reader: ContentReader = reading.open(sink);
    return {
      want: 'stream',
      onChunk: (bytes) => this.#guard(path, () => reader.chunk(bytes)) ?? false,
      onEnd: () => {
        this.#guard(path, () => reader.end());
      },
    };
  }

  /** A mistake in one cataloger costs one file, not the scan. */
  #guard<T>(path: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.problem(PROBLEM_CODES.unreadable, `could not read: ${describeError(error)}`, path);
      return undefined;
    }
  }

  #sink(path: string): CatalogSink {
    return {
      path,
      package: (item) => this.#addPackage({ ...item, path }),
      owns: (owner, file) => {
        const merged = mergedPath(file);
        this.#secrets?.owns(merged);
        if (!this.#catalogers.knows(merged) || this.#owners.has(merged)) return;
        if (this.#owners.size < MAX_PATHS) this.#owners.set(merged, owner);
        else this.#overflow('owned files');
      },
      distribution: (release) => this.#distributions.set(path, release),
      problem: (reason) => this.problem(PROBLEM_CODES.unreadable, `could not read: ${reason}`, path),
    };
  }

  #addPackage(item: CatalogedPackage): void {
    if (this.#packageCount >= MAX_PACKAGES) {
      this.#overflow('packages');
      return;
    }
    this.#packageCount++;
    const list = this.#packages.get(item.path);
    if (list === undefined) this.#packages.set(item.path, [item]);
    else list.push(item);
  }

  #add(set: Set<string>, path: string): void {
    if (set.size < MAX_PATHS) set.add(path);
    else this.#overflow('paths');
  }

  #overflow(what: string): void {
    if (this.#full.has(what)) return;
    this.#full.add(what);
    const message = `could not read: the layer holds more ${what} than are kept; the rest was left out`;
    this.#problems.push({ code: PROBLEM_CODES.tooMany, message, layer: null, path: null });
  }

  /** Only the owners of files that packages were read from are worth keeping. */
  #owned(): Record<string, string> {
    const owned: [string, string][] = [];
    for (const path of this.#packages.keys()) {
      const owner = this.#owners.get(mergedPath(path));
      if (owner !== undefined) owned.push([path, owner]);
    }
    return Object.fromEntries(owned);
  }
}

/** One file for several catalogers that stream; each is fed until it has enough. */
function together(interests: readonly EntryInterest[]): EntryInterest {
  const streams = interests.filter((interest) => interest.want === 'stream');
  const open = new Set(streams);
  return {
    want: 'stream',
    onChunk(chunk) {
      for (const stream of open) if (!stream.onChunk(chunk)) open.delete(stream);
      return open.size > 0;
    },
    onEnd() {
      for (const stream of streams) stream.onEnd();
    },
  };
}
