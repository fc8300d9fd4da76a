// Swift's Package.resolved, versions 1 to 3: pins of repositories to revisions, most of them tagged with a version.
import type { CatalogSink } from '../cataloger.ts';
import { isJsonObject, objectsOf, readJsonObject, type JsonObject } from './json-object.ts';
import { PackageRows } from './lock-file.ts';

/** What stands for the version of a pin to a branch or a revision: not known. */
const UNKNOWN = '(devel)';

export function readPackageResolved(bytes: Buffer, sink: CatalogSink): void {
  const content = readJsonObject(bytes, sink);
  if (content === undefined) return;
  const pins = isJsonObject(content['object']) ? content['object']['pins'] : content['pins'];
  if (!Array.isArray(pins)) {
    sink.problem('no list of pins');
    return;
  }
  const rows = new PackageRows('swift', sink);
  for (const pin of objectsOf(pins)) {
    if (pin['kind'] === 'localSourceControl' || pin['kind'] === 'fileSystem') continue;
    const state = isJsonObject(pin['state']) ? pin['state'] : {};
    rows.add(nameOf(pin), state['version'] ?? UNKNOWN);
  }
  rows.finish();
}

/** The repository's address without scheme and ending, as advisories name it; a registry's package by its identity. */
function nameOf(pin: JsonObject): unknown {
  const location = pin['location'] ?? pin['repositoryURL'];
  if (typeof location !== 'string' || location === '') return pin['identity'];
  return location
    .replace(/^[a-z+]{1,16}:\/\/(?:[^/@]*@)?/i, '')
    .replace(/^git@([^:/]+):/, '$1/')
    .replace(/\.git$/, '');
}
