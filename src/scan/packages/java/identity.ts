// Which Maven artifacts one archive is made of: pom.properties, then pom.xml's place, then the manifest, then its name.
import { groupOf } from './group-table.ts';
import { parseFileName } from './file-name.ts';
import { isCoordinate, isMavenVersion, type Coordinates } from './manifest.ts';

/** What was read of one archive. */
export interface ArchiveFacts {
  /** File name without folders. */
  readonly name: string;
  /** Of every pom.properties; several in a shaded archive. */
  readonly poms: readonly Coordinates[];
  /** Of `META-INF/maven/<group>/<artifact>/pom.xml` that has no pom.properties beside it. */
  readonly places: readonly { readonly group: string; readonly artifact: string }[];
  readonly manifest: ReadonlyMap<string, string>;
  /** Folders of the table of groups in which the archive has classes. */
  readonly folders: ReadonlySet<string>;
}

export interface Artifact {
  /** Null when nothing says it: then no advisory can be matched, and none is guessed. */
  readonly group: string | null;
  readonly artifact: string;
  readonly version: string;
  /** Where it was read. */
  readonly from: 'pom.properties' | 'pom.xml' | 'manifest' | 'file-name';
}

/** The artifacts of an archive; none when it says nothing that has a version. */
export function identify(facts: ArchiveFacts): readonly Artifact[] {
  const named = parseFileName(facts.name);
  const found: Artifact[] = facts.poms.map((pom) => ({ ...pom, from: 'pom.properties' }));
  for (const place of facts.places) {
    // The version of a pom.xml can be inherited; the file's name and the manifest speak of the archive's own only.
    const own = place.artifact === named.artifact || (facts.places.length === 1 && found.length === 0);
    const version = own ? versionOf(facts, named.version) : undefined;
    if (version !== undefined) found.push({ ...place, version, from: 'pom.xml' });
  }
  if (found.length > 0) return found;
  const version = versionOf(facts, named.version);
  const artifact = artifactOf(facts, named.artifact);
  if (version === undefined || !isCoordinate(artifact)) return [];
  const group = manifestGroup(facts, artifact) ?? groupOf(artifact, facts.folders) ?? null;
  const from = facts.manifest.get('implementation-version') === version ? 'manifest' : 'file-name';
  return [{ group, artifact, version, from }];
}

/** A title is the artifact where the file is named after it, e.g. `spring-core` of `spring-core-5.3.20-sources.jar`. */
function artifactOf({ manifest, name }: ArchiveFacts, named: string): string {
  const title = manifest.get('implementation-title');
  return isCoordinate(title) && name.startsWith(title) ? title : named;
}

function versionOf({ manifest }: ArchiveFacts, named: string | null): string | undefined {
  const stated = manifest.get('implementation-version');
  const candidates = [stated, named ?? undefined, manifest.get('bundle-version')];
  return candidates.find(isMavenVersion);
}

/** `Implementation-Vendor-Id` is the group Maven writes; a bundle's name is often `group.artifact`. */
function manifestGroup({ manifest }: ArchiveFacts, artifact: string): string | undefined {
  const vendor = manifest.get('implementation-vendor-id');
  if (isCoordinate(vendor) && vendor.includes('.')) return vendor;
  const bundle = manifest.get('bundle-symbolicname')?.split(';')[0]?.trim();
  if (!isCoordinate(bundle) || !bundle.endsWith(`.${artifact}`)) return undefined;
  const group = bundle.slice(0, -artifact.length - 1);
  return group.includes('.') ? group : undefined;
}
