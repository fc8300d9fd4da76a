// The contract of a cataloger: a plugin that recognises package metadata by path and reads it as a layer streams by.
import type { LayerEntry } from '../oci/index.ts';
import type { CatalogedPackage, DistributionRelease } from './types.ts';

/** Where a cataloger puts what it read from one file. Bound to that file's path. */
export interface CatalogSink {
  /** Path of the file being read. */
  readonly path: string;
  package(item: Omit<CatalogedPackage, 'path'>): void;
  /** An operating-system package owns a file. */
  owns(owner: string, path: string): void;
  distribution(release: DistributionRelease): void;
  /** The file, or a part of it, could not be read. `reason` completes the sentence "could not read: …". */
  problem(reason: string): void;
}

/** Takes a file's content in pieces; the buffers are only valid during the call. */
export interface ContentReader {
  /** Return false for no more. */
  chunk(bytes: Buffer): boolean;
  end(): void;
}

/** How a cataloger wants to read a file. */
export type FileReading =
  | { readonly how: 'whole'; readonly limit: number; read(bytes: Buffer, sink: CatalogSink): void }
  | { readonly how: 'stream'; open(sink: CatalogSink): ContentReader };

export interface Cataloger {
  /** Name and version are part of the key of cached results: raise the version whenever results would change. */
  readonly name: string;
  readonly version: number;
  /**
   * Matches nearly every path and looks at contents: asked only when no other cataloger knows the path. Broad
   * catalogers read as a stream, so that several can share a file.
   */
  readonly broad?: true;
  /**
   * Where what it reads counts. Lock files say what is meant to be installed, so most of them count in project folders
   * only; those catalogers are not part of the key of cached layer results. Absent: everywhere.
   */
  readonly scope?: 'image' | 'directory' | 'both';
  /** Base names of all files that it reads, when they are few: `matches` is then asked for no other path. */
  readonly fileNames?: readonly string[];
  /**
   * Could a file at this path be one that the cataloger reads? Decided by the path alone, so that whatever an
   * upper layer puts there is known to replace it.
   */
  matches(path: string): boolean;
  /** How to read a file whose path matches; undefined when its size or mode rule it out. Never throws. */
  reading(entry: LayerEntry): FileReading | undefined;
}
