// Checks of the data directory: can it be used, is there room.
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { describeError, GiB, MiB, systemErrorCode } from '../../core/index.ts';
import { type CheckContext, type CheckResult, fail, ok, warn } from './check.ts';

const LITTLE_BYTES = 5 * GiB;
const TOO_LITTLE_BYTES = 500 * MiB;

export async function checkDataDirectory({ dataDirectory }: CheckContext): Promise<CheckResult> {
  const name = 'data directory';
  const path = resolve(dataDirectory);
  try {
    const found = await stat(path);
    if (!found.isDirectory())
      return fail(name, `${path} is not a directory`, 'Choose another place with --data DIR.');
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    if ((found.mode & 0o077) !== 0) {
      return warn(name, `${path} can be read by other users of this machine`, `chmod 700 ${path}`);
    }
    return ok(name, path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') {
      return fail(
        name,
        `${path}: ${describeError(error)}`,
        `Make it readable and writable for this user, e.g. chown -R "$USER" ${path}`,
      );
    }
  }
  const parent = await existingParent(path);
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    return ok(name, `${path} does not exist yet; "breakwater serve" makes it`);
  } catch {
    return fail(
      name,
      `${path} does not exist, and ${parent} may not be written to`,
      'Choose another place with --data DIR.',
    );
  }
}

export async function checkDiskSpace({ dataDirectory }: CheckContext): Promise<CheckResult> {
  const name = 'disk space';
  const { bavail, bsize } = await statfs(await existingParent(resolve(dataDirectory)));
  const free = bavail * bsize;
  const text = `${(free / GiB).toFixed(1)} GiB free`;
  if (free < TOO_LITTLE_BYTES)
    return fail(name, text, 'Free space on this file system, or choose another one with --data DIR.');
  if (free < LITTLE_BYTES)
    return warn(
      name,
      text,
      'Images and scan results need room: free space, or choose another place with --data DIR.',
    );
  return ok(name, text);
}

/** The nearest folder above that exists; the root always does. */
export async function existingParent(path: string): Promise<string> {
  for (let current = path; ; current = dirname(current)) {
    try {
      if ((await stat(current)).isDirectory()) return current;
    } catch {
      if (dirname(current) === current) return current;
    }
  }
}
