// The vocabulary of scan results: packages, findings, problems, and the report that holds them.
import type { ExploitMaturity, KevEntry } from '../advisories/index.ts';
import type { Severity } from '../core/index.ts';
import type { LayerSecrets, SecretFinding } from './secrets/types.ts';

/** Every kind of package: the operating systems' first, then the languages', then programs known by their own bytes. */
export const PACKAGE_KINDS = [
  'dpkg',
  'apk',
  'rpm',
  'npm',
  'pypi',
  'golang',
  'maven',
  'nuget',
  'gem',
  'cargo',
  'composer',
  'pub',
  'hex',
  'swift',
  'conda',
  'program',
] as const;

/** Which kind of package database a package was read from. */
export type PackageKind = (typeof PACKAGE_KINDS)[number];

/** A package as a cataloger read it from one layer, before the image is composed. */
export interface CatalogedPackage {
  readonly kind: PackageKind;
  readonly name: string;
  readonly version: string;
  /** Source (dpkg) or origin (apk) package, which distribution advisories name. */
  readonly source?: { readonly name: string; readonly version: string };
  readonly architecture?: string;
  /** The file it was read from. */
  readonly path: string;
  readonly licenses?: readonly string[];
  /** Go: import path of the main module, `stdlib`, … Facts that matching needs, by cataloger. */
  readonly detail?: Readonly<Record<string, string>>;
}

/** A package of a composed image. */
export interface ImagePackage extends CatalogedPackage {
  /** Package URL (purl-spec), with distribution qualifiers for operating-system packages. */
  readonly purl: string;
  /** Index of the layer that holds the evidence. */
  readonly layer: number;
  /** The operating-system package that owns the file, when one does: such packages are matched through their owner only. */
  readonly ownedBy?: string;
}

/** Why a finding does not count: somebody took it on, or a VEX document says that it does not apply. */
export interface Suppression {
  readonly by: 'exemption' | 'vex';
  /** Where it is written: a file with its line, an exemption's id on the server, or the digest of a VEX artifact. */
  readonly source: string;
  readonly reason: string;
  readonly owner: string | null;
  /** The last day it holds (UTC), `2027-01-31`; null where it has no end. */
  readonly until: string | null;
}

/** What a VEX document adds to a finding that stays open. */
export interface VexNote {
  readonly status: 'affected' | 'under_investigation';
  readonly source: string;
  readonly text: string;
}

/** One upgrade that ends all fixable findings of a package. */
export interface UpgradeAdvice {
  readonly kind: PackageKind;
  /** Source package of operating-system packages, else the package. */
  readonly name: string;
  readonly installed: string;
  /** The nearest known version to which no open finding of the package applies that any upgrade ends. */
  readonly upgradeTo: string;
  /** Ids of the findings that it ends. */
  readonly ends: readonly string[];
  /** Ids of the findings that no known version ends. */
  readonly remain: readonly string[];
}

export interface Finding {
  /** The id to show: the CVE where there is one, else the advisory's own. */
  readonly id: string;
  /** The advisory whose statement matched. */
  readonly advisory: string;
  readonly aliases: readonly string[];
  readonly purl: string;
  readonly kind: PackageKind;
  readonly package: string;
  readonly installed: string;
  readonly fixed: string | null;
  readonly fixState: 'fixed' | 'not-fixed' | 'will-not-fix' | 'unknown';
  readonly severity: Severity;
  readonly severitySource: string;
  readonly cvssScore: number | null;
  readonly cvssVector: string | null;
  readonly epss: number | null;
  /** The part of all CVEs, 0–1, whose EPSS is at most this one; absent where the data does not say. */
  readonly epssPercentile?: number;
  readonly exploited: boolean;
  /** What CISA's catalogue of exploited vulnerabilities says, where its entry is in the data. */
  readonly kev?: KevEntry;
  /** Absent where nothing is known of exploits. */
  readonly exploitMaturity?: ExploitMaturity;
  readonly title: string;
  /** The matching range in words. */
  readonly range: string;
  /** Index and digest of the layer that brought the package, and the file it was read from. */
  readonly layer: number;
  readonly layerDigest: string | null;
  readonly path: string;
  readonly state: 'open' | 'fixed' | 'exempt';
  /** Of an exempt finding: who said so, why, until when. */
  readonly suppression?: Suppression;
  readonly vex?: VexNote;
}

/**
 * Something that could not be read or decided: it is part of the result, never silence.
 * Codes: those of `problem-codes.ts`, and those of the layer reader (`OCI_…`).
 */
export interface ScanProblem {
  readonly code: string;
  readonly message: string;
  readonly layer: number | null;
  readonly path: string | null;
}

export interface ReportLayer {
  readonly index: number;
  readonly digest: string;
  /** Digest of the uncompressed bytes, as read; null when not all of them could be read. */
  readonly diffId: string | null;
  readonly mediaType: string;
  readonly size: number;
  /** The build instruction of the image's history that made the layer. */
  readonly instruction: string | null;
  /** Were the results taken from the cache instead of reading the layer? */
  readonly cached: boolean;
}

export interface DistributionRelease {
  /** `ID` of os-release(5): `debian`, `ubuntu`, `alpine`, … */
  readonly id: string;
  readonly versionId: string | null;
  readonly prettyName: string;
}

/** Whether the distribution still repairs what is found in the release, at the time of the scan. */
export interface DistributionSupport {
  /** `unknown`: Breakwater has no date for the release. */
  readonly status: 'supported' | 'endOfLife' | 'unknown';
  /** Last day of the support that everyone gets, `2028-06-30`; null where it is unknown or releases roll. */
  readonly supportedUntil: string | null;
  /** Support that must be paid for and has not ended yet. */
  readonly paidSupport: { readonly name: string; readonly until: string } | null;
}

/** The advisory data a report was made with. `starter` is a handful of entries: a clean result means little. */
export interface ReportAdvisories {
  readonly kind: 'file' | 'starter';
  readonly digest: string;
  readonly builtAt: string;
  /** Age at scan time, in hours. */
  readonly ageHours: number;
  readonly advisories: number;
  /** In plain words what the reader must know, e.g. that the distribution has no data. */
  readonly notices: readonly string[];
}

/** The result of scanning one image of one platform, or one directory. */
export interface ScanReport {
  readonly schemaVersion: 1;
  readonly target: string;
  readonly status: 'finished' | 'unscannable';
  /** Why nothing could be scanned, in words; null when the scan finished. */
  readonly reason: string | null;
  readonly image: {
    readonly digest: string;
    readonly mediaType: string;
    readonly platform: string | null;
    readonly created: string | null;
    readonly layers: readonly ReportLayer[];
  } | null;
  readonly distribution: DistributionRelease | null;
  /** Absent when no distribution was found. */
  readonly distributionSupport?: DistributionSupport;
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly Finding[];
  readonly problems: readonly ScanProblem[];
  readonly advisories: ReportAdvisories;
  readonly scannedAt: string;
  /** Absent when secrets were not looked for, which is not the same as none. */
  readonly secrets?: readonly SecretFinding[];
  /** What to upgrade, most findings first; computed where a report is shown. */
  readonly upgrades?: readonly UpgradeAdvice[];
}

/** Remembers what each layer holds, so that a layer is read once. Keys are the digest of the stored blob. */
export interface LayerCache {
  get(blobDigest: string): Promise<LayerResult | undefined>;
  put(blobDigest: string, result: LayerResult): Promise<void>;
}

/** What one pass over one layer found. Kept under the blob digest, valid while every cataloger version is unchanged. */
export interface LayerResult {
  /** Cataloger names and versions, joined: `apk@1 dpkg@1 …`. */
  readonly catalogers: string;
  /** Digest of the uncompressed bytes, computed while reading, never taken from the image's claims; null when cut short. */
  readonly diffId: string | null;
  /** Was all of the layer read? Only complete results are cached. */
  readonly complete: boolean;
  /** Stored and uncompressed size in bytes. */
  readonly size: number;
  readonly uncompressedSize: number;
  readonly packages: readonly CatalogedPackage[];
  /** Every os-release file of the layer that could be read. */
  readonly distributions: readonly { readonly path: string; readonly release: DistributionRelease }[];
  /** Paths of lower layers that this layer removes. */
  readonly whiteouts: readonly string[];
  /** Directories whose contents in lower layers this layer hides. */
  readonly opaque: readonly string[];
  /** Paths where this layer has something that replaces what a lower layer may have been read from. */
  readonly evidence: readonly string[];
  /** Names of the operating-system packages that own the files of this layer's other packages, by path. */
  readonly owned: Readonly<Record<string, string>>;
  /** Absent when secrets were not looked for. */
  readonly secrets?: LayerSecrets;
  readonly problems: readonly ScanProblem[];
}
