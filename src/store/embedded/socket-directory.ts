// Where the private Unix sockets live: in the data directory, or in the temporary folder when its path is too long.
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** unix(7) allows 107 bytes; some systems 103. */
const MAX_SOCKET_PATH_BYTES = 100;

export const DATABASE_SOCKET = '.s.PGSQL.5432';

/** Makes the folder, readable by nobody else, and returns its path. */
export function prepareSocketDirectory(dataDirectory: string): string {
  const beside = join(dataDirectory, 'run');
  const directory =
    Buffer.byteLength(join(beside, DATABASE_SOCKET)) <= MAX_SOCKET_PATH_BYTES
      ? beside
      : join(tmpdir(), `breakwater-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16)}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  // In the shared temporary folder somebody else could have made it first.
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new Error(`${directory} belongs to somebody else`);
  }
  chmodSync(directory, 0o700);
  return directory;
}
