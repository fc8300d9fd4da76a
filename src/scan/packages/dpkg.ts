// dpkg's database (deb822(5), dpkg-query(1)): var/lib/dpkg/status, distroless status.d, and file lists for ownership.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { readStanzas } from './control-file.ts';
import { isPackageName, isPackageVersion, quote } from './coordinates.ts';

const STATUS = 'var/lib/dpkg/status';
const STATUS_DIRECTORY = 'var/lib/dpkg/status.d/';
const INFO_DIRECTORY = 'var/lib/dpkg/info/';
const SUMS = '.md5sums';
const LIST = '.list';
const MAX_STATUS_BYTES = 32 * MiB;
const MAX_LIST_BYTES = 16 * MiB;

/** dpkg's states in which a package's files are not there. */
const ABSENT = new Set(['not-installed', 'config-files']);

const FIELDS = new Set(['package', 'version', 'architecture', 'source', 'status']);

export const dpkg: Cataloger = {
  name: 'dpkg',
  version: 1,
  matches: (path) => isStatus(path) || isOwnership(path),
  reading(entry) {
    if (isStatus(entry.path)) return { how: 'whole', limit: MAX_STATUS_BYTES, read: readStatus };
    return { how: 'whole', limit: MAX_LIST_BYTES, read: readOwnership };
  },
};

function isStatus(path: string): boolean {
  if (path === STATUS) return true;
  return path.startsWith(STATUS_DIRECTORY) && isFileName(path, STATUS_DIRECTORY) && !path.endsWith(SUMS);
}

function isOwnership(path: string): boolean {
  if (path.startsWith(INFO_DIRECTORY)) return path.endsWith(LIST) && isFileName(path, INFO_DIRECTORY);
  return path.startsWith(STATUS_DIRECTORY) && path.endsWith(SUMS) && isFileName(path, STATUS_DIRECTORY);
}

function isFileName(path: string, directory: string): boolean {
  return path.length > directory.length && !path.includes('/', directory.length);
}

function readStatus(bytes: Buffer, sink: CatalogSink): void {
  let incomplete = 0;
  let example = '';
  const malformed = readStanzas(bytes.toString('utf8'), FIELDS, (fields) => {
    const state = fields.get('status')?.split(/\s+/)[2];
    if (state !== undefined && ABSENT.has(state)) return;
    const name = fields.get('package');
    const version = fields.get('version');
    if (!isPackageName(name) || !isPackageVersion(version)) {
      incomplete++;
      example ||= name ?? version ?? '';
      return;
    }
    const architecture = fields.get('architecture');
    sink.package({
      kind: 'dpkg',
      name,
      version,
      source: sourceOf(fields.get('source'), name, version),
      ...(isPackageName(architecture) ? { architecture } : {}),
    });
  });
  if (incomplete > 0) {
    sink.problem(
      `${incomplete} entries have no usable package name and version, one of them ${quote(example)}`,
    );
  }
  if (malformed > 0) sink.problem(`${malformed} lines are not "Field: value"`);
}

/** `Source: name (version)`; without it, or without its version, the binary package's own holds (deb-src-control(5)). */
function sourceOf(
  field: string | undefined,
  name: string,
  version: string,
): { readonly name: string; readonly version: string } {
  const open = field?.indexOf('(') ?? -1;
  const sourceName = (open < 0 ? field : field?.slice(0, open))?.trim();
  const sourceVersion =
    open < 0
      ? undefined
      : field
          ?.slice(open + 1)
          .split(')', 1)[0]
          ?.trim();
  return {
    name: isPackageName(sourceName) ? sourceName : name,
    version: isPackageVersion(sourceVersion) ? sourceVersion : version,
  };
}

/** `info/<package>[:arch].list`: one absolute path a line. `status.d/<package>.md5sums`: checksum, two spaces, path. */
function readOwnership(bytes: Buffer, sink: CatalogSink): void {
  const file = sink.path.slice(sink.path.lastIndexOf('/') + 1);
  const sums = file.endsWith(SUMS);
  const owner = file.slice(0, sums ? -SUMS.length : -LIST.length).replace(/:[^:]*$/, '');
  const text = bytes.toString('utf8');
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    let from = start;
    if (sums) {
      const gap = text.indexOf(' ', start);
      from = gap < 0 || gap > end ? end : gap;
      while (from < end && text.charCodeAt(from) === 0x20) from++;
    }
    if (text.charCodeAt(from) === 0x2f) from++;
    if (from < end) sink.owns(owner, text.slice(from, end));
    start = end + 1;
  }
}
