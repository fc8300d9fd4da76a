// package-lock.json and npm-shrinkwrap.json, versions 1 to 3 (docs.npmjs.com, "package-lock.json").
import type { CatalogSink } from '../cataloger.ts';
import { isJsonObject, membersOf, readJsonObject } from './json-object.ts';
import { PackageRows } from './lock-file.ts';

const FOLDER = 'node_modules/';
/** What is linked or copied from a folder is the project's own. */
const LOCAL = /^(?:file|link|workspace|portal):/;

export function readPackageLock(bytes: Buffer, sink: CatalogSink): void {
  const content = readJsonObject(bytes, sink);
  if (content === undefined) return;
  const rows = new PackageRows('npm', sink);
  if (isJsonObject(content['packages'])) addInstalled(content['packages'], rows);
  else addDependencies(content['dependencies'], rows);
  rows.finish();
}

/** Versions 2 and 3: paths of package folders; those outside `node_modules` are the project and its workspaces. */
function addInstalled(packages: unknown, rows: PackageRows): void {
  for (const [path, entry] of membersOf(packages)) {
    const at = path.lastIndexOf(FOLDER);
    if (at < 0 || !isJsonObject(entry) || entry['link'] === true) continue;
    rows.add(entry['name'] ?? path.slice(at + FOLDER.length), entry['version']);
  }
}

/** Version 1: dependencies in dependencies, to any depth. */
function addDependencies(dependencies: unknown, rows: PackageRows): void {
  const open: unknown[] = [dependencies];
  while (open.length > 0) {
    for (const [name, entry] of membersOf(open.pop())) {
      if (!isJsonObject(entry)) continue;
      const { version } = entry;
      const alias = typeof version === 'string' ? aliased(version) : undefined;
      if (alias !== undefined) rows.add(alias.name, alias.version);
      else if (typeof version !== 'string' || !LOCAL.test(version)) rows.add(name, version);
      open.push(entry['dependencies']);
    }
  }
}

/** `npm:name@version` stands for another package. */
function aliased(version: string): { readonly name: string; readonly version: string } | undefined {
  if (!version.startsWith('npm:')) return undefined;
  const at = version.indexOf('@', 5);
  return at < 0 ? undefined : { name: version.slice(4, at), version: version.slice(at + 1) };
}

/** Does a version or descriptor name a folder of the project? */
export function isLocal(version: string): boolean {
  return LOCAL.test(version);
}
