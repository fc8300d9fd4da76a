// Stored images joined with their scans, for the REST API.
import type { ImageDirectory, StoredImage } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import { scanErrors } from './errors.ts';
import type { ImageFreshness } from './freshness.ts';
import { digestsOf, scanStatus, statusOf, type ImageScanStatus } from './scan-status.ts';
import { findScans, type ImageScan } from './store.ts';
import { compareFindings } from './finding-order.ts';
import { listFindings, listPackages, type StoredFinding } from './store-queries.ts';
import type { DistributionRelease, ImagePackage, ReportLayer, ScanProblem } from './types.ts';

/** Packages and findings that are put into the answer about one image; the rest is in the lists of their own. */
const MAX_ROWS = 20_000;

export interface ImageSummary extends Omit<StoredImage, 'children'> {
  readonly platform: string | null;
  readonly scan: ImageScanStatus;
  readonly freshness: ImageFreshness;
}

/** Tells the freshness of an image, as the scan service does. */
export type TellFreshness = (image: StoredImage, scans: ReadonlyMap<string, ImageScan>) => ImageFreshness;

export interface ImageDetail extends ImageSummary {
  readonly created: string | null;
  readonly distribution: DistributionRelease | null;
  readonly layers: readonly ReportLayer[];
  readonly problems: readonly ScanProblem[];
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly StoredFinding[];
  readonly children: readonly {
    readonly digest: string;
    readonly platform: string | null;
    readonly present: boolean;
    /** Null for a child that is not stored. */
    readonly scan: ImageScanStatus | null;
  }[];
  readonly truncated: boolean;
}

/** Newest push first; with `reference`, the one image it stands for, or none. */
export async function listImages(
  db: Database,
  directory: ImageDirectory,
  filter: {
    readonly repository?: string;
    readonly reference?: string;
    readonly limit: number;
    readonly cursor?: string;
  },
  freshness: TellFreshness,
): Promise<{ readonly images: readonly ImageSummary[]; readonly nextCursor: string | null }> {
  const { reference, ...page } = filter;
  const { images, nextCursor } =
    reference === undefined
      ? await directory.list(page)
      : { images: await resolved(directory, reference), nextCursor: null };
  const scans = await findScans(db, digestsOf(images));
  return { images: images.map((image) => summaryOf(image, scans, freshness)), nextCursor };
}

/** One image with everything that is known of it. Throws SCAN_IMAGE_UNKNOWN. */
export async function findImage(
  db: Database,
  directory: ImageDirectory,
  digest: string,
  freshness: TellFreshness,
): Promise<ImageDetail> {
  const image = await directory.find(digest);
  if (image === undefined) throw scanErrors.create('SCAN_IMAGE_UNKNOWN', { digest });
  const scans = await findScans(db, digestsOf([image]));
  const own = scans.get(digest);
  const packages = await listPackages(db, { image: digest, limit: MAX_ROWS });
  const findings = await listFindings(db, { image: digest, limit: MAX_ROWS });
  return {
    ...summaryOf(image, scans, freshness),
    created: own?.created ?? null,
    distribution: own?.distribution ?? null,
    layers: own?.layers ?? [],
    problems: own?.problems ?? [],
    packages: packages.packages,
    findings: findings.findings.toSorted(compareFindings),
    children: image.children.map((child) => ({
      ...child,
      platform: child.platform ?? scans.get(child.digest)?.platform ?? null,
      scan: child.present ? scanStatus(scans.get(child.digest)) : null,
    })),
    truncated: packages.nextCursor !== null || findings.nextCursor !== null,
  };
}

async function resolved(directory: ImageDirectory, reference: string): Promise<readonly StoredImage[]> {
  const digest = await directory.resolve(reference);
  const image = digest === undefined ? undefined : await directory.find(digest);
  return image === undefined ? [] : [image];
}

function summaryOf(
  image: StoredImage,
  scans: ReadonlyMap<string, ImageScan>,
  freshness: TellFreshness,
): ImageSummary {
  const { digest, mediaType, kind, size, artifactType, locations } = image;
  const platform = scans.get(digest)?.platform ?? null;
  return {
    digest,
    mediaType,
    kind,
    size,
    artifactType,
    locations,
    platform,
    scan: statusOf(image, scans),
    freshness: freshness(image, scans),
  };
}
