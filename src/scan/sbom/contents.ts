// What an SBOM of any format says is in it, in the shape that catalogers give; and how a package URL becomes a package.
import { MAX_LAYERS } from '../../core/index.ts';
import { isPackageName, isPackageVersion } from '../packages/coordinates.ts';
import type { CatalogedPackage, DistributionRelease, PackageKind } from '../types.ts';
import type { PackageUrl } from './package-url-reader.ts';

/** A package with what only a scan of the image itself knows, where the document carries it on. */
export interface SbomPackage extends CatalogedPackage {
  /** 0 where the document does not tell. */
  readonly layer: number;
  /** The operating-system package that owns its file. */
  readonly ownedBy?: string;
}

export interface SbomContents {
  readonly format: 'CycloneDX' | 'SPDX' | 'Syft';
  readonly packages: readonly SbomPackage[];
  readonly distribution: DistributionRelease | null;
  /** Components that are packages but cannot be matched: no package URL, or of an unknown type. */
  readonly skipped: number;
}

const KINDS: Readonly<Record<string, PackageKind>> = {
  deb: 'dpkg',
  apk: 'apk',
  rpm: 'rpm',
  npm: 'npm',
  pypi: 'pypi',
  golang: 'golang',
  maven: 'maven',
  nuget: 'nuget',
  gem: 'gem',
  cargo: 'cargo',
  composer: 'composer',
  pub: 'pub',
  hex: 'hex',
  swift: 'swift',
  conda: 'conda',
  generic: 'program',
};

/** What a document says of a package beside its package URL. */
export interface PackageHints {
  /** Name and version as the document spells them; package URLs fold upper case of some types. */
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly source?: { readonly name: string; readonly version: string } | undefined;
  readonly path?: string | undefined;
  readonly layer?: number | undefined;
  readonly ownedBy?: string | undefined;
  readonly licenses?: readonly string[] | undefined;
  readonly detail?: Readonly<Record<string, string>> | undefined;
}

/** The package that a package URL stands for, or undefined when nothing could match it. */
export function packageOf(purl: PackageUrl, hints: PackageHints, file: string): SbomPackage | undefined {
  const kind = KINDS[purl.type];
  if (kind === undefined) return undefined;
  const name = spelling(nameOf(purl, kind), hints.name);
  const version = versionOf(purl, kind, hints.version);
  if (!isPackageName(name) || !isPackageVersion(version)) return undefined;
  const source = hints.source ?? upstreamOf(purl, kind, version);
  const architecture = purl.qualifiers.get('arch');
  const { path, layer = 0, ownedBy, licenses = [], detail } = hints;
  return {
    kind,
    name,
    version,
    ...(source === undefined ? {} : { source }),
    ...(architecture === undefined ? {} : { architecture }),
    path: path === undefined || path === '' ? file : path.replace(/^\/+/, ''),
    ...(licenses.length > 0 ? { licenses } : {}),
    ...(detail === undefined || Object.keys(detail).length === 0 ? {} : { detail }),
    layer: Number.isInteger(layer) && layer >= 0 && layer < MAX_LAYERS ? layer : 0,
    ...(ownedBy === undefined ? {} : { ownedBy }),
  };
}

/** The name under which a cataloger would have listed the package. */
function nameOf({ namespace, name }: PackageUrl, kind: PackageKind): string {
  if (namespace === '' || kind === 'dpkg' || kind === 'apk' || kind === 'rpm') return name;
  return kind === 'maven' ? `${namespace}:${name}` : `${namespace}/${name}`;
}

/** The document's own spelling where it differs in nothing but case and separators. */
function spelling(name: string, hinted: string | undefined): string {
  if (hinted === undefined) return name;
  const fold = (text: string): string => text.toLowerCase().replace(/[_.]/g, '-');
  return fold(hinted) === fold(name) ? hinted : name;
}

function versionOf(
  { version, qualifiers }: PackageUrl,
  kind: PackageKind,
  hinted: string | undefined,
): string | undefined {
  if (version === null) return hinted;
  const epoch = kind === 'rpm' ? qualifiers.get('epoch') : undefined;
  return epoch === undefined || epoch === '0' || version.includes(':') ? version : `${epoch}:${version}`;
}

/** `upstream=name` or `upstream=name@version`, as Syft writes it for packages built of another source. */
function upstreamOf(
  { qualifiers }: PackageUrl,
  kind: PackageKind,
  version: string,
): { readonly name: string; readonly version: string } | undefined {
  const upstream = qualifiers.get('upstream');
  if (upstream === undefined || (kind !== 'dpkg' && kind !== 'apk')) return undefined;
  const at = upstream.indexOf('@', 1);
  const name = at < 0 ? upstream : upstream.slice(0, at);
  const stated = at < 0 ? version : upstream.slice(at + 1);
  return isPackageName(name) && isPackageVersion(stated) ? { name, version: stated } : undefined;
}

/** `debian-12` to the release; the version follows the last dash. */
export function distributionOf(qualifier: string | undefined): DistributionRelease | null {
  const match = /^([a-z0-9][a-z0-9._-]{0,62}?)(?:-([A-Za-z0-9._+~]{1,64}))?$/.exec(qualifier ?? '');
  if (match?.[1] === undefined) return null;
  const [, id, version = null] = match;
  return { id, versionId: version, prettyName: version === null ? id : `${id} ${version}` };
}
