// The vocabulary of images: OCI image-spec 1.1 descriptors and manifests, and where an image can be read from.
import type { Readable } from 'node:stream';

/** `sha256:<64 hex>` or `sha512:<128 hex>`, checked by `parseDigest`. */
export type Digest = string & { readonly __digest: unique symbol };

/** OCI image-spec descriptor.md. `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
  readonly urls?: readonly string[];
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
}

/** OCI image-spec manifest.md, or Docker Image Manifest V2 Schema 2. */
export interface ImageManifest {
  readonly kind: 'image';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** OCI image-spec image-index.md, or Docker manifest list. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Manifest = ImageManifest | ImageIndex;

/** The parts of OCI image-spec config.md that matter here. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
}

export interface HistoryEntry {
  readonly createdBy?: string;
  readonly comment?: string;
  readonly emptyLayer: boolean;
}

/** The manifest an image source was asked for. */
export interface RootManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * Where an image can be read from: a registry, an OCI layout directory, a `docker save` archive.
 * Manifests are verified against their digest; a blob's stream fails at its end when its bytes do not match.
 */
export interface ImageSource {
  /** As the user named it. */
  readonly target: string;
  root(): Promise<RootManifest>;
  /** A manifest by digest, at most `MAX_MANIFEST_BYTES`. */
  manifest(descriptor: Descriptor): Promise<Buffer>;
  /** The stored (compressed) bytes of a blob. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Readable>;
  close(): Promise<void>;
}

/** One entry of a layer, after PAX and GNU extensions are applied. Paths are relative, without `./`, `/` or `..`. */
export interface LayerEntry {
  /** Cleaned path as bytes decoded as UTF-8 (invalid sequences become U+FFFD). Never empty: the root is not reported. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other' | 'whiteout' | 'opaque';
  /**
   * For `whiteout`: the path that is removed. For `opaque`: the directory whose lower contents are hidden, `''` for
   * the root. Null for all others.
   */
  readonly target: string | null;
  /** For symlink and hardlink: the link name as stored. */
  readonly linkName: string | null;
  /** Content size in bytes; 0 for anything but a file. */
  readonly size: number;
  readonly mode: number;
}

/** What a visitor wants of an entry's content. Only files have content; for all others the answer is not used. */
export type EntryInterest =
  | { readonly want: 'nothing' }
  /**
   * The whole content in one buffer, which the visitor may keep; for a larger file than `limit` bytes `onTooLarge` is
   * called instead. Neither is called when the layer ends early: then the summary is not `complete`.
   */
  | { readonly want: 'bytes'; readonly limit: number; onBytes(bytes: Buffer): void; onTooLarge(): void }
  /**
   * The content in pieces as they stream by. The buffers are only valid during the call. Return false for no more.
   * `onEnd` follows the last byte of the file, also after false; not when the layer ends early.
   */
  | { readonly want: 'stream'; onChunk(chunk: Buffer): boolean; onEnd(): void };

export interface LayerVisitor {
  /** Called for every entry in archive order, synchronously. What it throws ends the reading and reaches the caller. */
  entry(entry: LayerEntry): EntryInterest;
}

/** What reading a layer found out about it. */
export interface LayerSummary {
  /** Digest of the uncompressed bytes, computed while reading; null when not all of them could be read. */
  readonly diffId: Digest | null;
  /** Stored (compressed) bytes taken from the stream, and uncompressed bytes read. */
  readonly size: number;
  readonly uncompressedSize: number;
  readonly entries: number;
  /** Were all entries read? False when the layer is cut off, damaged, not an archive, or beyond a limit. */
  readonly complete: boolean;
  /** What could not be read, in words: a truncated archive, a path with `..`, … Empty when all was read. */
  readonly problems: readonly LayerProblem[];
}

/** Codes of problems in a layer. They are findings about an image, not errors of ours. */
export type LayerProblemCode =
  | 'OCI_LAYER_ENCRYPTED'
  | 'OCI_LAYER_COMPRESSION_UNSUPPORTED'
  | 'OCI_LAYER_COMPRESSION_DAMAGED'
  | 'OCI_LAYER_TRAILING_DATA'
  | 'OCI_LAYER_NOT_TAR'
  | 'OCI_LAYER_TRUNCATED'
  | 'OCI_LAYER_HEADER_DAMAGED'
  | 'OCI_LAYER_HEADER_TOO_LARGE'
  | 'OCI_LAYER_TOO_MANY_ENTRIES'
  | 'OCI_LAYER_TOO_LARGE'
  | 'OCI_LAYER_RATIO'
  | 'OCI_LAYER_PATH_ABSOLUTE'
  | 'OCI_LAYER_PATH_PARENT'
  | 'OCI_LAYER_PATH_ESCAPES'
  | 'OCI_LAYER_PATH_INVALID'
  | 'OCI_LAYER_SPARSE'
  | 'OCI_LAYER_GLOBAL_HEADER'
  | 'OCI_LAYER_MORE_PROBLEMS';

export interface LayerProblem {
  readonly code: LayerProblemCode;
  readonly message: string;
  /** The entry it is about, as stored (shortened), or null when it is about the whole layer. */
  readonly path: string | null;
}
