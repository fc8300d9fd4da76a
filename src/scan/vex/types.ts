// VEX statements in one shape, whatever document they came in (OpenVEX 0.2, CycloneDX 1.4–1.6, CSAF 2.0).

export type VexStatus = 'not_affected' | 'affected' | 'fixed' | 'under_investigation';

/** What a statement is about: a package, or an image with some of its packages. */
export interface VexProduct {
  /** Package URLs or other identifiers of the product; any of them may match. */
  readonly identifiers: readonly string[];
  /** Package URLs of the parts that are meant; empty means the product as a whole. */
  readonly parts: readonly string[];
}

export interface VexStatement {
  /** Id and aliases of the vulnerability, as written. */
  readonly vulnerabilities: readonly string[];
  readonly status: VexStatus;
  readonly products: readonly VexProduct[];
  /** Justification, impact or action in words. */
  readonly text: string;
}

export interface VexDocument {
  readonly format: 'openvex' | 'cyclonedx' | 'csaf';
  /** The file, or the digest of the artifact in the registry. */
  readonly source: string;
  /** Who says it; null where the document does not tell. */
  readonly author: string | null;
  /** In the order of the document: a later one about the same product and vulnerability replaces an earlier one. */
  readonly statements: readonly VexStatement[];
}
