// Vulnerability advisories in the shape the matcher needs, compiled from OSV (ossf.github.io/osv-schema) records.
import type { Severity } from '../core/index.ts';

/** How versions of one ecosystem compare. `compare` never throws: what a scheme cannot read sorts by its own legacy rule. */
export interface VersionScheme {
  readonly name: string;
  compare(a: string, b: string): number;
  /** Is this a version the scheme fully understands? Others still compare, with less certainty. */
  valid(version: string): boolean;
}

/** One stretch of affected versions: `introduced` ≤ v < `fixed`, or ≤ `lastAffected`. */
export interface AffectedRange {
  /** `0` means from the beginning. */
  readonly introduced: string;
  readonly fixed?: string;
  readonly lastAffected?: string;
  /** Upper bounds of the branch (OSV `limit` events): the version must be below at least one of them. */
  readonly limits?: readonly string[];
}

/** What one advisory says about one package of one ecosystem. */
export interface AffectedPackage {
  readonly advisory: string;
  /** OSV ecosystem with release, as published: `Debian:12`, `Alpine:v3.20`, `npm`, `Go`, `Ubuntu:22.04:LTS`. */
  readonly ecosystem: string;
  /** Normalised package name (`normalizePackageName`). */
  readonly name: string;
  readonly ranges: readonly AffectedRange[];
  /** Explicit affected versions; alternatives to the ranges, joined by OR. */
  readonly versions: readonly string[];
  /** Distribution's urgency or status word (`unimportant`, `needed`, …) where it gives one. */
  readonly urgency?: string;
  /** Go import paths that hold the flaw, where the advisory names them. */
  readonly imports?: readonly string[];
}

/** Exploited in the wild, a working exploit exists, an outline of one does, or none is known (CVSS `E` metric, KEV). */
export type ExploitMaturity = 'attacked' | 'functional' | 'proof-of-concept' | 'unreported';

/** An entry of CISA's Known Exploited Vulnerabilities catalogue. */
export interface KevEntry {
  /** Day on which it was added, `2024-03-14`. */
  readonly added: string | null;
  /** Is it known to be used in ransomware campaigns? */
  readonly ransomware: boolean;
}

/** What findings need of a record: cheap to read. */
export interface AdvisoryFacts {
  readonly id: string;
  /** Every other id of the same flaw: aliases and upstream ids, e.g. the CVE. Sorted. */
  readonly aliases: readonly string[];
  /** One line; the first sentence of the details where the publisher gives no summary. */
  readonly summary: string;
  readonly published: string | null;
  readonly modified: string | null;
  readonly withdrawn: string | null;
  readonly severity: Severity;
  /** Where the severity comes from: `distribution`, `cvss4`, `cvss3`, `cvss2`, `database`, `cve-meta`, or `none`. */
  readonly severitySource: string;
  readonly cvssVector: string | null;
  /** CVSS score, 0–10: the base score; of a version 4 vector its own score, with its threat metric. */
  readonly cvssScore: number | null;
  /** EPSS probability, 0–1, of the CVE. */
  readonly epss: number | null;
  /** The part of all CVEs, 0–1, whose EPSS probability is at most this one; absent where the data does not say. */
  readonly epssPercentile?: number;
  /** Is the CVE in CISA's Known Exploited Vulnerabilities catalogue? */
  readonly exploited: boolean;
  /** What that catalogue says of it, where its own entry is in the data. */
  readonly kev?: KevEntry;
  /** How far exploits are, as far as is known; absent where nothing is. */
  readonly exploitMaturity?: ExploitMaturity;
  readonly source: string;
}

/** The whole record, for showing. */
export interface Advisory extends AdvisoryFacts {
  readonly details: string;
  readonly references: readonly string[];
}

/** What an advisory file says of itself. */
export interface AdvisoryFileInfo {
  readonly kind: 'file' | 'starter';
  /** `sha256:<hex>` of the index and these facts. The index holds the hash of every block, so it identifies the whole file. */
  readonly digest: string;
  /** When it was built, ISO 8601. */
  readonly builtAt: string;
  readonly advisories: number;
  readonly packages: number;
  readonly sources: readonly AdvisorySourceInfo[];
}

/** What one source file gave. */
export interface AdvisorySourceInfo {
  readonly name: string;
  readonly records: number;
  /** Records that could not be read and were left out. */
  readonly rejected: number;
  /** When its newest record was modified, ISO 8601. */
  readonly newest: string | null;
}

/** An open advisory file: synchronous look-ups, about 2 ms to open and use. Look-ups throw coded errors when the file is corrupt. */
export interface AdvisoryFile {
  readonly info: AdvisoryFileInfo;
  /** All statements about a package. `ecosystem` is an exact OSV ecosystem key; `name` is normalised already. */
  lookup(ecosystem: string, name: string): readonly AffectedPackage[];
  /** By the record's own id, e.g. `DEBIAN-CVE-2023-1234`; also for withdrawn records, which `lookup` never gives. */
  facts(id: string): AdvisoryFacts | undefined;
  advisory(id: string): Advisory | undefined;
  /** Ids of the records that name `alias` among their aliases, sorted. */
  aliasedBy(alias: string): readonly string[];
  /** The ecosystem keys present, e.g. to say that a distribution has no data. */
  ecosystems(): readonly string[];
  /** The sorted records of a section, block by block: to find out what changed between two files. */
  blocks(section: AdvisorySection): Iterable<AdvisoryBlock>;
  close(): void;
}

/** Statements by package (`ecosystem`, NUL, name), or facts by advisory id. */
export type AdvisorySection = 'packages' | 'facts';

/** A run of records in ascending byte order of their keys; a key may repeat, also in the next block. */
export interface AdvisoryBlock {
  /** Blocks of equal hash hold the same records. Null when it is not known. */
  readonly hash: string | null;
  records(): Iterable<AdvisoryRecord>;
}

export interface AdvisoryRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Whether one version is affected, and why. */
export type MatchVerdict =
  | {
      readonly affected: false;
      /** The scheme cannot read the installed version, so "not affected" is not known: say so. */
      readonly undecided?: true;
    }
  | {
      readonly affected: true;
      /** The nearest version that is not affected any more, if the advisory names one. */
      readonly fixed: string | null;
      /** The range that matched, in words: `>= 1.0, < 1.2.3` or `= 1.1`. */
      readonly range: string;
    };
