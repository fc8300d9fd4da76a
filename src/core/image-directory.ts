// What images are stored, as the registry answers it to folders that may not import the registry.

/** A stored manifest with every place it is stored in. */
export interface StoredImage {
  readonly digest: string;
  readonly mediaType: string;
  /** `artifact` is a manifest whose config is not a container image's: a signature, an SBOM, a chart. */
  readonly kind: 'image' | 'index' | 'artifact';
  /** Bytes of the manifest and of what it refers to directly. */
  readonly size: number;
  readonly artifactType: string | null;
  readonly locations: readonly ImageLocation[];
  /** For an index: its children, present or not. */
  readonly children: readonly {
    readonly digest: string;
    readonly platform: string | null;
    readonly present: boolean;
  }[];
}

export interface ImageLocation {
  readonly repository: string;
  readonly tags: readonly string[];
  readonly pushedAt: string;
  readonly pushedBy: string;
  readonly lastPulledAt: string | null;
  readonly pulls: number;
}

/** Answers from SQL; not for hot paths. */
export interface ImageDirectory {
  /** Newest push first. `limit` is at most 1,000. */
  list(filter: {
    readonly repository?: string;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly images: readonly StoredImage[]; readonly nextCursor: string | null }>;
  find(digest: string): Promise<StoredImage | undefined>;
  /** Those that are stored, of at most 500 digests. */
  findMany(digests: readonly string[]): Promise<readonly StoredImage[]>;
  /** The digest a `repository:tag` or `repository@digest` stands for now. */
  resolve(reference: string): Promise<string | undefined>;
}
