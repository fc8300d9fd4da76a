// What every blob driver must do, as tests: run against the filesystem here, against S3 and Azure by their drivers.
import { randomBytes } from 'node:crypto';
import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KiB, MiB } from '../../core/index.ts';
import type { BlobDriver, ByteRange } from '../types.ts';

/** A driver over an empty place, and how to give that place back. */
export interface BlobDriverUnderTest {
  readonly driver: BlobDriver;
  dispose(): Promise<void>;
}

const ABSENT = '0123456789abcdef0123456789abcdef';
const FOREIGN_IDS = ['', '..', '../../etc/passwd', 'A'.repeat(32), `${ABSENT}/`, 'aa/../bb', '\0'];

/** Declares the contract tests of a driver. `make` is called before each test. */
export function describeBlobDriver(name: string, make: () => Promise<BlobDriverUnderTest>): void {
  describe(`blob driver ${name}`, () => {
    let subject: BlobDriverUnderTest;
    let driver: BlobDriver;
    beforeEach(async () => {
      subject = await make();
      driver = subject.driver;
    });
    afterEach(() => subject.dispose());

    async function store(bytes: Buffer): Promise<string> {
      const writer = await driver.create();
      await writer.write(bytes);
      await writer.finish();
      return writer.id;
    }

    describe('writing', () => {
      it('returns the bytes it was given, whatever the sizes of the chunks', async () => {
        const chunks = [1, 0, 70_000, 2 * MiB, 3, 1_048_575, 17].map((size) => randomBytes(size));
        const writer = await driver.create();
        for (const chunk of chunks) await writer.write(chunk);
        const whole = Buffer.concat(chunks);
        expect(writer.size).toBe(whole.length);
        await writer.finish();
        expect((await buffer(await driver.read(writer.id))).equals(whole)).toBe(true);
        expect(await driver.size(writer.id)).toBe(whole.length);
      });

      it('takes thousands of small chunks', async () => {
        const writer = await driver.create();
        const chunks = Array.from({ length: 5_000 }, (_, index) => Buffer.from(`${index},`));
        for (const chunk of chunks) await writer.write(chunk);
        await writer.finish();
        expect((await buffer(await driver.read(writer.id))).equals(Buffer.concat(chunks))).toBe(true);
      });

      it('stores an empty object', async () => {
        const writer = await driver.create();
        await writer.finish();
        expect(await driver.size(writer.id)).toBe(0);
        expect(await buffer(await driver.read(writer.id))).toHaveLength(0);
        expect(await sent(driver, writer.id, { start: 0, end: -1 })).toHaveLength(0);
      });

      it('gives every object its own id', async () => {
        const writers = await Promise.all(Array.from({ length: 20 }, () => driver.create()));
        expect(new Set(writers.map((writer) => writer.id)).size).toBe(20);
        await Promise.all(writers.map((writer) => writer.abort()));
      });

      it('creates under a given id once', async () => {
        await (await driver.create(ABSENT)).finish();
        expect(await driver.size(ABSENT)).toBe(0);
        await expect(driver.create(ABSENT)).rejects.toMatchObject({ code: 'STORE_BLOB_EXISTS' });
      });

      it('refuses a writer that was closed', async () => {
        const writer = await driver.create();
        await writer.finish();
        await expect(writer.write(Buffer.from('x'))).rejects.toMatchObject({
          code: 'STORE_BLOB_WRITER_CLOSED',
        });
        await expect(writer.sync()).rejects.toMatchObject({ code: 'STORE_BLOB_WRITER_CLOSED' });
        await expect(writer.finish()).rejects.toMatchObject({ code: 'STORE_BLOB_WRITER_CLOSED' });
      });

      it('leaves nothing of an aborted object', async () => {
        const writer = await driver.create();
        await writer.write(randomBytes(100));
        await writer.sync();
        await writer.abort();
        expect(await driver.size(writer.id)).toBeUndefined();
        await expect(driver.read(writer.id)).rejects.toMatchObject({ code: 'STORE_BLOB_UNKNOWN' });
      });
    });

    describe('resuming', () => {
      it('goes on after a suspension, at the size it is told', async () => {
        const bytes = randomBytes(3 * MiB);
        const first = await driver.create();
        await first.write(bytes.subarray(0, MiB));
        await first.sync();
        await first.write(randomBytes(500));
        await first.suspend();
        const second = await driver.resume(first.id, MiB);
        expect(second.id).toBe(first.id);
        expect(second.size).toBe(MiB);
        await second.write(bytes.subarray(MiB));
        await second.finish();
        expect((await buffer(await driver.read(first.id))).equals(bytes)).toBe(true);
      });

      it('lets what was made durable be read before the object is finished', async () => {
        const writer = await driver.create();
        await writer.write(Buffer.from('durable'));
        await writer.sync();
        expect((await buffer(await driver.read(writer.id))).toString()).toBe('durable');
        await writer.abort();
      });

      it('refuses to resume past what is there, and what is not there', async () => {
        const id = await store(Buffer.from('short'));
        await expect(driver.resume(id, 6)).rejects.toMatchObject({ code: 'STORE_BLOB_SHORT' });
        await expect(driver.resume(ABSENT, 0)).rejects.toMatchObject({ code: 'STORE_BLOB_UNKNOWN' });
      });
    });

    describe('reading', () => {
      it('reads ranges with both ends inclusive', async () => {
        const bytes = randomBytes(MiB + 11);
        const id = await store(bytes);
        const last = bytes.length - 1;
        const ranges = [
          [0, 0],
          [0, last],
          [last, last],
          [5, 4],
          [511 * KiB, 513 * KiB],
          [1, 600 * KiB],
        ] as const;
        for (const [start, end] of ranges) {
          const wanted = bytes.subarray(start, end + 1);
          expect((await buffer(await driver.read(id, { start, end }))).equals(wanted)).toBe(true);
          expect((await sent(driver, id, { start, end })).equals(wanted)).toBe(true);
        }
      });

      it('says so when a range goes past the end', async () => {
        const id = await store(randomBytes(100));
        await expect(driver.read(id, { start: 0, end: 100 })).rejects.toMatchObject({
          code: 'STORE_BLOB_SHORT',
        });
        await expect(sent(driver, id, { start: 0, end: 100 })).rejects.toMatchObject({
          code: 'STORE_BLOB_SHORT',
        });
      });

      it('sends the same bytes to many slow and fast receivers at once', async () => {
        const bytes = randomBytes(4 * MiB + 3);
        const id = await store(bytes);
        const range = { start: 0, end: bytes.length - 1 };
        const received = await Promise.all(
          Array.from({ length: 24 }, (_, index) => sent(driver, id, range, index % 3)),
        );
        for (const copy of received) expect(copy.equals(bytes)).toBe(true);
      });

      it('stops when the receiver leaves, also one that never took a byte', async () => {
        const id = await store(randomBytes(4 * MiB));
        const stalled = new Writable({ write: () => undefined });
        const sending = driver.send(id, { start: 0, end: 4 * MiB - 1 }, stalled);
        setTimeout(() => stalled.destroy(), 20);
        await expect(sending).rejects.toMatchObject({ code: 'STORE_BLOB_DESTINATION_CLOSED' });
        expect(stalled.listenerCount('close')).toBe(0);
        await expect(driver.send(id, { start: 0, end: 9 }, stalled)).rejects.toMatchObject({
          code: 'STORE_BLOB_DESTINATION_CLOSED',
        });
      });

      it('leaves no listeners on the receiver and does not end it', async () => {
        const id = await store(randomBytes(3 * MiB));
        const receiver = new PassThrough();
        const before = receiver.eventNames().map((event) => [event, receiver.listenerCount(event)]);
        receiver.resume();
        await driver.send(id, { start: 0, end: 3 * MiB - 1 }, receiver);
        expect(receiver.writableEnded).toBe(false);
        await new Promise((resolve) => receiver.end(resolve));
        expect(receiver.eventNames().map((event) => [event, receiver.listenerCount(event)])).toEqual(before);
      });
    });

    describe('naming', () => {
      it('knows nothing under ids that are not its own', async () => {
        for (const id of [ABSENT, ...FOREIGN_IDS]) {
          expect(await driver.size(id)).toBeUndefined();
          await driver.remove(id);
          await expect(driver.read(id)).rejects.toMatchObject({ code: 'STORE_BLOB_UNKNOWN' });
          await expect(driver.resume(id, 0)).rejects.toMatchObject({ code: 'STORE_BLOB_UNKNOWN' });
          await expect(sent(driver, id, { start: 0, end: 0 })).rejects.toMatchObject({
            code: 'STORE_BLOB_UNKNOWN',
          });
        }
        for (const id of FOREIGN_IDS) {
          await expect(driver.create(id)).rejects.toMatchObject({ code: 'STORE_BLOB_UNKNOWN' });
        }
      });

      it('lists every object and forgets removed ones', async () => {
        const sizes = [0, 1, 4096];
        const ids = await Promise.all(sizes.map((size) => store(randomBytes(size))));
        const unfinished = await driver.create();
        await unfinished.write(randomBytes(10));
        await unfinished.suspend();
        const listed = new Map<string, number | undefined>();
        for await (const { id, size, modifiedAt } of driver.list()) {
          listed.set(id, size);
          expect(Math.abs(Date.now() - modifiedAt)).toBeLessThan(10 * 60_000);
        }
        expect(listed).toEqual(
          new Map([...ids.map((id, index) => [id, sizes[index]] as const), [unfinished.id, 10]]),
        );
        for (const id of listed.keys()) await driver.remove(id);
        for await (const { id } of driver.list()) expect.fail(`${id} is still listed`);
      });
    });
  });
}

/** What a receiver gets that takes `pauseMs` for each piece. */
async function sent(driver: BlobDriver, id: string, range: ByteRange, pauseMs = 0): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const receiver = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      const take = (): void => {
        // Copied only now: a driver that reuses a buffer too early would be caught.
        pieces.push(Buffer.from(piece));
        done();
      };
      if (pauseMs === 0) take();
      else setTimeout(take, pauseMs);
    },
  });
  await driver.send(id, range, receiver);
  await new Promise((resolve) => receiver.end(resolve));
  return Buffer.concat(pieces);
}
