// Installed npm packages: the package.json at the root of each package folder below a node_modules.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { isPackageName, isPackageVersion } from './coordinates.ts';

const MAX_BYTES = 4 * MiB;
/** `node_modules/<name>/package.json` or `node_modules/@scope/<name>/package.json`; deeper ones are parts of a package. */
const PATH = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;

export const npm: Cataloger = {
  name: 'npm',
  version: 1,
  matches: (path) => path.endsWith('/package.json') && PATH.test(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readPackageJson }),
};

function readPackageJson(bytes: Buffer, sink: CatalogSink): void {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    sink.problem('package.json is not JSON');
    return;
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    sink.problem('package.json is not a JSON object');
    return;
  }
  const { name, version } = content as { readonly name?: unknown; readonly version?: unknown };
  const trimmed = typeof version === 'string' ? version.trim().replace(/^[=v]+/, '') : undefined;
  if (typeof name !== 'string' || !isPackageName(name) || !isPackageVersion(trimmed)) {
    sink.problem('package.json has no usable name and version');
    return;
  }
  const licenses = licensesOf(content);
  sink.package({ kind: 'npm', name, version: trimmed, ...(licenses.length > 0 ? { licenses } : {}) });
}

function licensesOf(content: object): string[] {
  const license: unknown = 'license' in content ? content.license : undefined;
  if (typeof license === 'string' && license !== '') return [license.slice(0, 256)];
  if (
    typeof license === 'object' &&
    license !== null &&
    'type' in license &&
    typeof license.type === 'string'
  ) {
    return [license.type.slice(0, 256)];
  }
  return [];
}
