// Packages that a lock file names and that are installed beside it: one of the two rows is enough.
import { lockFiles } from './packages/lock-files.ts';
import type { CatalogedPackage } from './types.ts';

/** Copies of one package that are looked at, so that a folder full of them costs no more than a few. */
const MAX_COPIES = 64;

/**
 * Leaves out what a lock file names when the same version is installed in its folder or below: the installed package
 * says more. What is locked and not installed stays.
 */
export function withoutInstalledTwice(packages: readonly CatalogedPackage[]): readonly CatalogedPackage[] {
  const locks = new Map<string, boolean>();
  const isLocked = (path: string): boolean => {
    const known = locks.get(path) ?? lockFiles.some((lock) => lock.matches(path));
    locks.set(path, known);
    return known;
  };
  const installed = new Map<string, string[]>();
  for (const item of packages) {
    if (isLocked(item.path)) continue;
    const paths = installed.get(keyOf(item));
    if (paths === undefined) installed.set(keyOf(item), [item.path]);
    else if (paths.length < MAX_COPIES) paths.push(item.path);
  }
  return packages.filter((item) => {
    if (!isLocked(item.path)) return true;
    const folder = item.path.slice(0, item.path.lastIndexOf('/') + 1);
    return installed.get(keyOf(item))?.some((path) => path.startsWith(folder)) !== true;
  });
}

/** Python tools spell one name in several ways (PEP 503). */
function keyOf({ kind, name, version }: CatalogedPackage): string {
  const plain = kind === 'pypi' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name;
  return `${kind}\n${plain}\n${version}`;
}
