// Layers into one image: whiteouts, opaque directories and replaced files applied (OCI image-spec layer.md), owners marked.
import { packageUrl } from './package-url.ts';
import { OS_RELEASE_PATHS } from './packages/os-release.ts';
import type {
  CatalogedPackage,
  DistributionRelease,
  ImagePackage,
  LayerResult,
  PackageKind,
  ScanProblem,
} from './types.ts';

export interface ComposedImage {
  /** Sorted by kind, name, version and path. */
  readonly packages: readonly ImagePackage[];
  readonly distribution: DistributionRelease | null;
  /** Problems of files that are visible in the image, with their layer. */
  readonly problems: readonly ScanProblem[];
}

const SYSTEM_KINDS: ReadonlySet<PackageKind> = new Set<PackageKind>(['dpkg', 'apk', 'rpm']);

/** Does this kind belong to the operating system's own package manager? */
export function isSystemKind(kind: PackageKind): boolean {
  return SYSTEM_KINDS.has(kind);
}

/** Composes layers, the lowest first. The work grows with what the layers hold, not with layers times packages. */
export function composeImage(layers: readonly LayerResult[]): ComposedImage {
  const above = new HiddenPaths();
  const visible: { readonly item: CatalogedPackage; readonly layer: number }[] = [];
  const problems: ScanProblem[] = [];
  const releases = new Map<string, DistributionRelease>();
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const result = layers[layer];
    if (result === undefined) continue;
    for (const item of result.packages) if (!above.hide(item.path)) visible.push({ item, layer });
    for (const problem of result.problems) {
      if (problem.path === null || !above.hide(problem.path)) problems.push({ ...problem, layer });
    }
    for (const { path, release } of result.distributions) {
      if (!above.hide(path) && !releases.has(path)) releases.set(path, release);
    }
    above.add(result);
  }
  const distribution =
    OS_RELEASE_PATHS.map((path) => releases.get(path)).find((release) => release !== undefined) ?? null;
  const owners = ownersOf(layers, visible);
  const packages = visible.map(({ item, layer }): ImagePackage => {
    const ownedBy = isSystemKind(item.kind) ? undefined : owners.get(item.path);
    const purl = packageUrl(item, distribution);
    return { ...withInnerPath(item), purl, layer, ...(ownedBy === undefined ? {} : { ownedBy }) };
  });
  return {
    packages: packages.toSorted(byCoordinate),
    distribution,
    problems: problems.toSorted((a, b) => (a.layer ?? 0) - (b.layer ?? 0)),
  };
}

/** What the layers above hide of the layers below. */
class HiddenPaths {
  readonly #gone = new Set<string>();
  readonly #opaque = new Set<string>();

  add(layer: LayerResult): void {
    for (const path of layer.evidence) this.#gone.add(path);
    for (const path of layer.whiteouts) this.#gone.add(path);
    for (const path of layer.opaque) this.#opaque.add(path);
  }

  /** Is the path itself gone, or a folder above it gone or opaque? A file in a folder's place ends the folder. */
  hide(path: string): boolean {
    if (this.#gone.has(path) || this.#opaque.has('')) return true;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (this.#gone.has(folder) || this.#opaque.has(folder)) return true;
    }
    return false;
  }
}

/** Owners by path, as far as the owning package is still installed. */
function ownersOf(
  layers: readonly LayerResult[],
  visible: readonly { readonly item: CatalogedPackage }[],
): ReadonlyMap<string, string> {
  const installed = new Set<string>();
  for (const { item } of visible) if (isSystemKind(item.kind)) installed.add(item.name);
  const owners = new Map<string, string>();
  for (const layer of layers) {
    for (const [path, owner] of Object.entries(layer.owned)) {
      if (installed.has(owner)) owners.set(path, owner);
    }
  }
  return owners;
}

/** A package of an archive inside a file is shown with the way to it, `app.war!/WEB-INF/lib/a.jar`. */
function withInnerPath(item: CatalogedPackage): CatalogedPackage {
  const { inside, ...detail } = item.detail ?? {};
  return inside === undefined ? item : { ...item, path: `${item.path}!/${inside}`, detail };
}

function byCoordinate(a: ImagePackage, b: ImagePackage): number {
  return (
    compareText(a.kind, b.kind) ||
    compareText(a.name, b.name) ||
    compareText(a.version, b.version) ||
    compareText(a.path, b.path)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
