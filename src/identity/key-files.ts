// Secret files: made once, 0600, whole or not at all, also when several processes start at the same moment.
import { chmod, link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError } from '../core/index.ts';
import type { Logger, Randomness } from '../core/index.ts';
import { identityErrors } from './errors.ts';

const MAX_KEY_FILE_BYTES = 64 * 1024;

/**
 * Reads a secret file; makes it with the bytes of `make` if it is not there. All processes end up with the same bytes.
 * @throws IDENTITY_KEY_UNREADABLE
 */
export async function readOrCreateKeyFile(
  path: string,
  make: () => Promise<Buffer>,
  randomness: Randomness,
  logger: Logger,
): Promise<Buffer> {
  try {
    return (await readKeyFile(path, logger)) ?? (await createKeyFile(path, await make(), randomness, logger));
  } catch (error) {
    if (identityErrors.is(error)) throw error;
    throw identityErrors.create('IDENTITY_KEY_UNREADABLE', { path, reason: describeError(error) }, error);
  }
}

/** Makes the directory of the keys, for its owner only. */
export async function createKeyDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (process.platform !== 'win32') await chmod(directory, 0o700);
  } catch (error) {
    throw identityErrors.create(
      'IDENTITY_KEY_UNREADABLE',
      { path: directory, reason: describeError(error) },
      error,
    );
  }
}

async function createKeyFile(
  path: string,
  bytes: Buffer,
  randomness: Randomness,
  logger: Logger,
): Promise<Buffer> {
  // A link to a finished file appears whole and fails where another process was faster; an exclusive create would
  // let that process read an empty file.
  const temporary = `${path}.${randomness.uuid()}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(temporary);
  }
  await syncDirectory(dirname(path));
  const stored = await readKeyFile(path, logger);
  if (!stored) throw new Error('the file vanished after it was made');
  return stored;
}

async function readKeyFile(path: string, logger: Logger): Promise<Buffer | undefined> {
  let details: Awaited<ReturnType<typeof stat>>;
  try {
    details = await stat(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (!details.isFile()) throw new Error('it is not a regular file');
  if (details.size > MAX_KEY_FILE_BYTES) throw new Error('it is too large to be a key');
  if (process.platform !== 'win32' && (details.mode & 0o077) !== 0) {
    logger.warn({ path }, 'key file was readable by others: its mode is set to 0600');
    await chmod(path, 0o600);
  }
  const file = await open(path, 'r');
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
