// Orders the versions of one kind of package by its own scheme.
import { versionScheme } from '../advisories/index.ts';

/** An ecosystem whose versions compare as those of the package kind. */
const ECOSYSTEMS: Readonly<Record<string, string>> = {
  dpkg: 'Debian',
  apk: 'Alpine',
  npm: 'npm',
  pypi: 'PyPI',
  golang: 'Go',
};

/** Negative when `a` is older. Kinds without a scheme keep the order they have. */
export function compareVersions(kind: string, a: string, b: string): number {
  return versionScheme(ECOSYSTEMS[kind] ?? '')?.compare(a, b) ?? 0;
}
