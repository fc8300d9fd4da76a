// The filesystem driver against the contract, and what only a file system has: modes, folders, full disks, descriptors.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readlink, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MiB, systemRandomness } from '../../core/index.ts';
import { describeBlobDriver } from './contract.ts';
import { createFilesystemBlobDriver } from './filesystem.ts';

describeBlobDriver('filesystem', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'breakwater-blobs-'));
  return {
    driver: createFilesystemBlobDriver({ directory: join(directory, 'blobs'), randomness: systemRandomness }),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
});

describeBlobDriver('filesystem with almost no buffer memory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'breakwater-blobs-'));
  return {
    driver: createFilesystemBlobDriver({ directory, randomness: systemRandomness, bufferBudget: 0 }),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
});

describe('filesystem blob driver', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'breakwater-blobs-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const make = () => createFilesystemBlobDriver({ directory, randomness: systemRandomness });

  it('keeps objects from other users', async () => {
    const writer = await make().create();
    await writer.finish();
    const folder = join(directory, writer.id.slice(0, 2));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, writer.id))).mode & 0o777).toBe(0o600);
  });

  it('reports an object that the disk lost the end of', async () => {
    const driver = make();
    const writer = await driver.create();
    await writer.write(randomBytes(2 * MiB));
    await writer.finish();
    await truncate(join(directory, writer.id.slice(0, 2), writer.id), MiB);
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
    await expect(driver.send(writer.id, { start: 0, end: 2 * MiB - 1 }, sink)).rejects.toMatchObject({
      code: 'STORE_BLOB_SHORT',
    });
  });

  it.skipIf(process.platform !== 'linux')('closes the file after every kind of end', async () => {
    const driver = make();
    const writer = await driver.create();
    await writer.write(randomBytes(4 * MiB));
    await writer.finish();
    const opened = async (): Promise<number> => {
      const links = await Promise.all(
        (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      );
      return links.filter((link) => link.endsWith(writer.id)).length;
    };
    const whole = { start: 0, end: 4 * MiB - 1 };
    const fast = new Writable({ write: (_chunk, _encoding, done) => done() });
    await driver.send(writer.id, whole, fast);
    const stalled = new Writable({ write: () => undefined });
    const sending = driver.send(writer.id, whole, stalled);
    await sleep(20);
    expect(await opened()).toBe(1);
    stalled.destroy();
    await expect(sending).rejects.toMatchObject({ code: 'STORE_BLOB_DESTINATION_CLOSED' });
    const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('refused')) });
    failing.on('error', () => undefined);
    await expect(driver.send(writer.id, whole, failing)).rejects.toMatchObject({
      code: 'STORE_BLOB_DESTINATION_CLOSED',
    });
    await expect.poll(opened, { interval: 10, timeout: 2_000 }).toBe(0);
  });
});
