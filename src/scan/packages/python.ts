// Installed Python distributions: `*.dist-info/METADATA` and `*.egg-info` (Core metadata specifications, PyPA).
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { isPackageName, isPackageVersion } from './coordinates.ts';

const MAX_BYTES = 8 * MiB;
/** The headers come first; a longer head than this is not metadata. */
const MAX_HEAD_BYTES = 1 * MiB;
const PATH = /(?:\.dist-info\/METADATA|\.egg-info\/PKG-INFO|(?:^|\/)EGG-INFO\/PKG-INFO|\.egg-info)$/;

export const python: Cataloger = {
  name: 'python',
  version: 1,
  matches: (path) => PATH.test(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readMetadata }),
};

function readMetadata(bytes: Buffer, sink: CatalogSink): void {
  const head = headOf(
    bytes
      .subarray(0, MAX_HEAD_BYTES)
      .toString('utf8')
      .replace(/^\uFEFF/, ''),
  );
  const name = head.get('name');
  const version = head.get('version');
  if (!isPackageName(name) || !isPackageVersion(version)) {
    sink.problem('metadata has no usable Name and Version');
    return;
  }
  const license = head.get('license-expression') ?? head.get('license');
  const known = license !== undefined && license !== '' && license !== 'UNKNOWN';
  sink.package({ kind: 'pypi', name, version, ...(known ? { licenses: [license.slice(0, 256)] } : {}) });
}

/** The first value of each header up to the empty line that ends them (RFC 822 form). */
function headOf(text: string): Map<string, string> {
  const head = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon <= 0 || line.startsWith(' ') || line.startsWith('\t')) continue;
    const field = line.slice(0, colon).toLowerCase();
    if (!head.has(field)) head.set(field, line.slice(colon + 1).trim());
  }
  return head;
}
