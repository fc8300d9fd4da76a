// PHP packages: Composer's record of what is installed (vendor/composer/installed.json, forms 1 and 2), and composer.lock.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { isJsonObject, licensesOf, objectsOf, readJson, readJsonObject } from './json-object.ts';
import { PackageRows } from './lock-file.ts';

const MAX_BYTES = 32 * MiB;
/** The folder `vendor` may have another name. */
const PATH = /(?:^|\/)composer\/installed\.json$/;

export const composer: Cataloger = {
  name: 'composer',
  version: 1,
  fileNames: ['installed.json'],
  matches: (path) => PATH.test(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readInstalled }),
};

function readInstalled(bytes: Buffer, sink: CatalogSink): void {
  const content = readJson(bytes, sink);
  if (content === undefined) return;
  const packages = isJsonObject(content) ? content['packages'] : content;
  if (Array.isArray(packages)) readPackages([packages], sink);
  else sink.problem('not a list of packages');
}

export function readComposerLock(bytes: Buffer, sink: CatalogSink): void {
  const content = readJsonObject(bytes, sink);
  if (content !== undefined) readPackages([content['packages'], content['packages-dev']], sink);
}

function readPackages(lists: readonly unknown[], sink: CatalogSink): void {
  const rows = new PackageRows('composer', sink);
  for (const list of lists) {
    for (const item of objectsOf(list)) rows.add(item['name'], item['version'], licensesOf(item['license']));
  }
  rows.finish();
}
