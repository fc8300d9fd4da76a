// Installed conda packages: `conda-meta/<name>-<version>-<build>.json` of each environment.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { isPackageName, isPackageVersion } from './coordinates.ts';
import { licensesOf, readJsonObject } from './json-object.ts';

/** The record lists every file of the package. */
const MAX_BYTES = 32 * MiB;
const PATH = /(?:^|\/)conda-meta\/[^/]+\.json$/;

export const conda: Cataloger = {
  name: 'conda',
  version: 1,
  matches: (path) => path.endsWith('.json') && PATH.test(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readRecord }),
};

function readRecord(bytes: Buffer, sink: CatalogSink): void {
  const content = readJsonObject(bytes, sink);
  if (content === undefined) return;
  const name = textIn(content['name']);
  const version = textIn(content['version']);
  if (!isPackageName(name) || !isPackageVersion(version)) {
    sink.problem('the record has no usable name and version');
    return;
  }
  const build = textIn(content['build']);
  const licenses = licensesOf(content['license']);
  sink.package({
    kind: 'conda',
    name,
    version,
    ...(licenses.length > 0 ? { licenses } : {}),
    ...(isPackageVersion(build) ? { detail: { build } } : {}),
  });
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
