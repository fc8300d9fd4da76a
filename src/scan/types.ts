// The vocabulary of scan results: packages, findings, problems, and the report that holds them.
import type { Severity } from '../core/index.ts';

/** Which kind of package database a package was read from. */
export type PackageKind = 'dpkg' | 'apk' | 'npm' | 'pypi' | 'golang';

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
  readonly exploited: boolean;
  readonly title: string;
  /** The matching range in words. */
  readonly range: string;
  /** Index and digest of the layer that brought the package, and the file it was read from. */
  readonly layer: number;
  readonly layerDigest: string | null;
  readonly path: string;
  readonly state: 'open' | 'fixed' | 'exempt';
}

/** Something that could not be read or decided: it is part of the result, never silence. */
export interface ScanProblem {
  readonly code: string;
  readonly message: string;
  readonly layer: number | null;
  readonly path: string | null;
}

export interface ReportLayer {
  readonly index: number;
  readonly digest: string;
  readonly diffId: string;
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
  readonly image: {
    readonly digest: string;
    readonly mediaType: string;
    readonly platform: string | null;
    readonly created: string | null;
    readonly layers: readonly ReportLayer[];
  } | null;
  readonly distribution: DistributionRelease | null;
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly Finding[];
  readonly problems: readonly ScanProblem[];
  readonly advisories: ReportAdvisories;
  readonly scannedAt: string;
}

/** Remembers what each layer holds, so that a layer is read once. Keys are the digest of the stored blob. */
export interface LayerCache {
  get(blobDigest: string): Promise<LayerResult | undefined>;
  put(blobDigest: string, result: LayerResult): Promise<void>;
}

/** What one pass over one layer found. Kept under the blob digest, valid while every cataloger version is unchanged. */
export interface LayerResult {
  /** Cataloger names and versions, joined: `dpkg@1 apk@1 …`. */
  readonly catalogers: string;
  readonly diffId: string;
  readonly size: number;
  readonly uncompressedSize: number;
  readonly packages: readonly CatalogedPackage[];
  /** Parsed os-release, if the layer has one. */
  readonly distribution: DistributionRelease | null;
  /** Paths that later layers may hide, and what this layer hides. */
  readonly whiteouts: readonly string[];
  readonly opaque: readonly string[];
  /** Every evidence path of this layer, package-bearing or emptied. */
  readonly evidence: readonly string[];
  /** Files owned by operating-system packages that matter for language packages: owner by path. */
  readonly owned: Readonly<Record<string, string>>;
  readonly problems: readonly ScanProblem[];
}
