// Installed RPM packages: the database of rpm(8) in each of its forms, and Azure Linux's distroless package list.
import { MiB } from '../../../core/index.ts';
import type { Cataloger, CatalogSink, ContentReader, FileReading } from '../../cataloger.ts';
import { CONTAINER_MANIFEST, readContainerManifest } from './container-manifest.ts';
import { readRpmDatabase } from './database.ts';
import { readRpmHeader, type RpmHeader } from './header.ts';
import { rpmPackage } from './package-fact.ts';

/** rpm's usual folder, the one of SUSE and Fedora 36 and later, and that of rpm-ostree. */
const FOLDERS = ['var/lib/rpm/', 'usr/lib/sysimage/rpm/', 'usr/share/rpm/'];
const WRITE_AHEAD_LOG = 'rpmdb.sqlite-wal';
const FILES = ['Packages', 'Packages.db', 'rpmdb.sqlite', WRITE_AHEAD_LOG];

const PATHS: ReadonlySet<string> = new Set([
  ...FOLDERS.flatMap((folder) => FILES.map((file) => folder + file)),
  CONTAINER_MANIFEST,
]);

/** The database is read at any position, so it is held whole; 2,000 packages take about 100 MiB less their scripts. */
const MAX_DATABASE_BYTES = 96 * MiB;
const MAX_MANIFEST_BYTES = 8 * MiB;

/** Files of all packages of a database whose owner is kept. */
const MAX_FILES = 3_000_000;

/** Public keys are kept as packages of this name. */
const KEY_PACKAGE = 'gpg-pubkey';

export const rpm: Cataloger = {
  name: 'rpm',
  version: 1,
  fileNames: [...FILES, 'container-manifest-2'],
  matches: (path) => PATHS.has(path),
  reading({ path }): FileReading {
    if (path === CONTAINER_MANIFEST) {
      return { how: 'whole', limit: MAX_MANIFEST_BYTES, read: readContainerManifest };
    }
    if (path.endsWith(WRITE_AHEAD_LOG)) return { how: 'stream', open: writeAheadLog };
    return { how: 'whole', limit: MAX_DATABASE_BYTES, read: readDatabase };
  },
};

function readDatabase(bytes: Buffer, sink: CatalogSink): void {
  if (bytes.length === 0) return;
  let damaged = 0;
  let example = '';
  const damage = (reason: string): void => {
    damaged++;
    example ||= reason;
  };
  let files = MAX_FILES;
  const known = readRpmDatabase(bytes, {
    damage,
    header(blob) {
      const header = readRpmHeader(blob);
      const item = header && rpmPackage({ ...header, version: `${header.version}-${header.release}` });
      if (header === undefined || item === undefined) damage('a package header');
      else if (header.name !== KEY_PACKAGE) {
        sink.package(item);
        files -= ownFiles(header, sink, files);
      }
    },
  });
  if (!known) sink.problem('it is no RPM database in Berkeley DB hash, NDB or SQLite form');
  if (files <= 0) sink.problem(`it names more than ${MAX_FILES} files; the owners of the rest are not known`);
  if (damaged > 0) sink.problem(`${damaged} parts of the RPM database are damaged, first: ${example}`);
}

/** Tells whose the files are, `most` of them; returns how many. */
function ownFiles(header: RpmHeader, sink: CatalogSink, most: number): number {
  let count = 0;
  for (const file of header.files()) {
    if (count >= most) break;
    count++;
    if (file.startsWith('/')) sink.owns(header.name, file.slice(1));
  }
  return count;
}

/** Changes that SQLite has not yet moved into the database: rare in images, as rpm does so when it ends. */
function writeAheadLog(sink: CatalogSink): ContentReader {
  return {
    chunk() {
      sink.problem('changes in the write-ahead log are not read, packages may be missing or out of date');
      return false;
    },
    end: () => undefined,
  };
}
