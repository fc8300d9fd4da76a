// RPM package databases by their first bytes: Berkeley DB hash, NDB or SQLite; each holds one header blob a package.
import { isHashDatabase, readHashDatabase } from './berkeley-hash.ts';
import { isNdb, readNdb } from './ndb.ts';
import { isSqlite, readSqlitePackages } from './sqlite-packages.ts';

/** Takes what a database reader finds. The blobs are only valid while the file's buffer is. */
export interface HeaderSink {
  header(blob: Buffer): void;
  /** A part of the database could not be read. */
  damage(reason: string): void;
}

/**
 * Reads every header of a database in whichever form it is; false when it is none of the three. Work is bounded by the
 * file's size whatever its bytes are: each page is followed once, and the blobs together are no larger than the file.
 */
export function readRpmDatabase(file: Buffer, sink: HeaderSink): boolean {
  if (isSqlite(file)) readSqlitePackages(file, sink);
  else if (isNdb(file)) readNdb(file, sink);
  else if (isHashDatabase(file)) readHashDatabase(file, sink);
  else return false;
  return true;
}
