// rpm's SQLite database (`rpmdb.sqlite`): table Packages, one row a package, its header in the blob column.
import type { HeaderSink } from './database.ts';
import { SqliteFile } from './sqlite-file.ts';

export { isSqlite } from './sqlite-file.ts';

/** Hands over every header. Only call when `isSqlite`. */
export function readSqlitePackages(file: Buffer, sink: HeaderSink): void {
  const database = new SqliteFile(file, (reason) => sink.damage(reason));
  const root = database.tableRoot('Packages');
  if (root === undefined) {
    sink.damage('it has no table Packages');
    return;
  }
  for (const row of database.rows(root)) {
    const blob = row.find((value) => Buffer.isBuffer(value));
    if (Buffer.isBuffer(blob)) sink.header(blob);
    else sink.damage('a row without a header');
  }
}
