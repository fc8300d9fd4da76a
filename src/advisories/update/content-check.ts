// Is a downloaded file what its name says? Captive portals and error pages arrive with status 200.
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { describeError, MiB } from '../../core/index.ts';
import { verifyAdvisoryFile } from '../file/read.ts';
import { checkZip } from '../sources/zip.ts';

/** A catalogue of 8 GiB unpacked is no feed. */
const MAX_UNPACKED = 8 * 1024 * MiB;
const MAX_JSON = 64 * MiB;

/** Undefined when it is, else why not. Reads the file once where only that can tell. */
export async function contentProblem(path: string, extension: string): Promise<string | undefined> {
  try {
    if (extension === '.zip') await checkZip(path);
    else if (extension === '.bwadv') verifyAdvisoryFile(path);
    else if (extension.endsWith('.gz')) await checkGzip(path);
    else await checkText(path, extension === '.json');
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

async function checkGzip(path: string): Promise<void> {
  let size = 0;
  const counted = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      done(size > MAX_UNPACKED ? new Error('it unpacks to more than 8 GiB') : null);
    },
  });
  await pipeline(createReadStream(path), createGunzip(), counted);
}

async function checkText(path: string, whole: boolean): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    if (!/^\s*[{[]/.test(buffer.toString('utf8', 0, bytesRead))) throw new Error('it is not JSON');
    if (!whole) return;
    if ((await file.stat()).size > MAX_JSON) throw new Error(`it is larger than ${MAX_JSON} bytes`);
    JSON.parse(await readFile(path, 'utf8'));
  } finally {
    await file.close();
  }
}
