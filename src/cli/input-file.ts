// Reads a small file that the user named: SBOM, VEX document, exemptions.
import { open } from 'node:fs/promises';
import { describeError, MiB } from '../core/index.ts';
import { cliErrors } from './errors.ts';

/** The whole file, at most `limit` bytes. @throws CLI_FILE_UNREADABLE */
export async function readInputFile(path: string, limit: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > limit) throw new Error(`it is larger than ${limit / MiB} MiB`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cliErrors.create('CLI_FILE_UNREADABLE', { file: path, reason: describeError(error) }, error);
  }
}
