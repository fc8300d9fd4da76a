// A really full disk: a small tmpfs. Needs the right to mount, so it is skipped without it.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { KiB, MiB, systemRandomness } from '../../core/index.ts';
import { createFilesystemBlobDriver } from './filesystem.ts';

const directory = mkdtempSync(join(tmpdir(), 'breakwater-full-'));
const mounted =
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]).status === 0;

afterAll(() => {
  if (mounted) spawnSync('umount', [directory]);
  rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(!mounted)('a full disk (skipped when tmpfs cannot be mounted)', () => {
  it('is a coded error, and the object can be resumed when there is space again', async () => {
    const driver = createFilesystemBlobDriver({ directory, randomness: systemRandomness });
    const filler = await driver.create();
    await filler.write(randomBytes(2 * MiB));
    await filler.finish();

    const bytes = randomBytes(3 * MiB);
    const first = await driver.create();
    await first.write(bytes.subarray(0, MiB));
    await first.sync();
    const rest = async (): Promise<void> => {
      for (let at = MiB; at < bytes.length; at += 64 * KiB)
        await first.write(bytes.subarray(at, at + 64 * KiB));
      await first.finish();
    };
    await expect(rest()).rejects.toMatchObject({ code: 'STORE_BLOB_NO_SPACE', status: 507 });
    await expect(first.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_BLOB_NO_SPACE' });
    await first.suspend();

    await driver.remove(filler.id);
    const second = await driver.resume(first.id, MiB);
    await second.write(bytes.subarray(MiB));
    await second.finish();
    expect((await buffer(await driver.read(first.id))).equals(bytes)).toBe(true);
  });
});
