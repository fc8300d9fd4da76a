// The vocabulary of secrets: what a rule is, what one pass over a layer found, what a report shows. Never a value.
import type { Severity } from '../../core/index.ts';

/** Did the value pass a check of its structure (checksum, parse), or does it only look right? */
export type SecretValidation = 'structure' | 'pattern';

/** Where in an image a secret stands. */
export const SECRET_SOURCES = ['file', 'environment', 'label', 'history'] as const;
export type SecretSource = (typeof SECRET_SOURCES)[number];

/** A secret in one file of one layer. The value itself is not kept. */
export interface LayerSecret {
  readonly rule: string;
  /** Path of the file; a file in an archive is `archive!/path`. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly masked: string;
  /** Stable for the same rule and value wherever they stand; the value cannot be read from it. */
  readonly fingerprint: string;
  readonly validated: SecretValidation;
}

/** What the search for secrets found in one layer. */
export interface LayerSecrets {
  /** Version of rules and engine; results of others are not used again. */
  readonly version: string;
  readonly found: readonly LayerSecret[];
  /** Sorted 32-bit hashes of the layer's file paths, little-endian, base64: says which lower files it overwrites. */
  readonly files: string;
}

/** A secret of an image, as reports show it. */
export interface SecretFinding extends LayerSecret {
  readonly title: string;
  readonly severity: Severity;
  readonly source: SecretSource;
  /** Index and digest of the layer that brought it; null for what stands in the image's configuration. */
  readonly layer: number | null;
  readonly layerDigest: string | null;
  /** The layer that deletes or overwrites the file: the secret is still in the image. Null while it is visible. */
  readonly removedInLayer: number | null;
  /** What to do about it. */
  readonly remediation: string;
}

/** Says whether a value that matched its rule's pattern has the structure of a real one. */
export type SecretValidator = (value: string, context: string) => boolean;

/** One kind of secret, ready to be searched for. */
export interface SecretRule {
  readonly id: string;
  /** Place in the library: of equal claims on a text the first wins. */
  readonly order: number;
  readonly title: string;
  readonly provider: string;
  readonly severity: Severity;
  /** `token`: known by its own form. `assigned`: by the name it is assigned to. `generic`: by a name such as password. */
  readonly kind: 'token' | 'assigned' | 'generic';
  /** Lower case; the pattern is only tried near one of them. */
  readonly keywords: readonly string[];
  /** Global, with indices; the group `secret` or the whole match is the value. */
  readonly pattern: RegExp;
  /** What every value starts with, when the pattern says so: checked before the pattern is tried. */
  readonly prefix: string;
  /** Least Shannon entropy of the value, in bits for each character. */
  readonly entropy: number;
  readonly validator: SecretValidator | undefined;
  /** Does passing the validator prove the structure, or does it only sift? */
  readonly proves: boolean;
  /** Bytes before and after a keyword in which the pattern is tried. */
  readonly before: number;
  readonly after: number;
  readonly remediation: string;
}

/** A value found in a text, before it is masked. Lives only while its file is read. */
export interface SecretMatch {
  readonly rule: SecretRule;
  /** Offset of the value in bytes. */
  readonly start: number;
  /** From 1. */
  readonly line: number;
  readonly value: string;
  readonly validated: SecretValidation;
}
