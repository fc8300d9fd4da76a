// Cuts the packages of an image into groups that images with common layers share (content-defined chunking).
import { createHash } from 'node:crypto';
import { normalizePackageName, type PackageKey } from '../advisories/index.ts';
import { queryOf } from './match.ts';
import type { DistributionRelease, ImagePackage } from './types.ts';

/** A package with the names under which advisories speak of it. */
export interface NamedPackage {
  readonly item: ImagePackage;
  readonly names: readonly PackageKey[];
}

export interface PackageGroup {
  /** Hash of everything in the group but its layer's index. */
  readonly key: string;
  readonly layer: number;
  readonly packages: readonly NamedPackage[];
}

/** Most packages in one group: with their names they still fit one transaction. */
export const MAX_GROUP = 100;
/** One package in this many ends a group. */
const CUT_EVERY = 32;

/**
 * Groups never span layers. A group ends after a package whose own hash says so: where two images have a run of equal
 * packages, they have equal groups, wherever in the image the run is. Lowest layer first.
 */
export function groupPackages(
  packages: readonly ImagePackage[],
  distribution: DistributionRelease | null,
): readonly PackageGroup[] {
  const groups: PackageGroup[] = [];
  const layers = [...Map.groupBy(packages, (item) => item.layer)].toSorted(([a], [b]) => a - b);
  for (const [layer, items] of layers) {
    let hashes: Buffer[] = [];
    let members: NamedPackage[] = [];
    const close = (): void => {
      if (members.length === 0) return;
      groups.push({ key: sha256(Buffer.concat(hashes)).toString('hex'), layer, packages: members });
      hashes = [];
      members = [];
    };
    for (const item of items) {
      const named = { item, names: lookupKeys(item, distribution) };
      const hash = packageHash(named);
      hashes.push(hash);
      members.push(named);
      if (members.length === MAX_GROUP || hash.readUInt32LE(0) % CUT_EVERY === 0) close();
    }
    close();
  }
  return groups;
}

/** Identifies the list of packages with their layers. */
export function groupsHash(groups: readonly PackageGroup[]): string {
  return sha256(groups.map(({ layer, key }) => `${layer}:${key}`).join('\n')).toString('hex');
}

/** The keys under which advisories speak of a package: what must change for its findings to change. */
function lookupKeys(item: ImagePackage, distribution: DistributionRelease | null): readonly PackageKey[] {
  const query = queryOf(item, distribution);
  if (query === undefined) return [];
  const { ecosystems, name } = query;
  return ecosystems.map((ecosystem) => ({ ecosystem, name: normalizePackageName(ecosystem, name) }));
}

function packageHash({ item, names }: NamedPackage): Buffer {
  const { kind, name, version, source, architecture, path, licenses, detail, purl, ownedBy } = item;
  const facts = [kind, name, version, source, architecture, path, licenses, detail, purl, ownedBy];
  return sha256(JSON.stringify([facts, names]));
}

function sha256(content: string | Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
