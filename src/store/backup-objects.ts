// Reads the object section of a backup: id, size, bytes, digest, object after object, in constant memory.
import { createHash } from 'node:crypto';
import { DIGEST_BYTES, MAX_OBJECT_BYTES, OBJECT_HEAD_BYTES, OBJECT_ID_BYTES } from './backup-format.ts';
import { damaged } from './backup-reader.ts';
import { isObjectId } from './blobs/object-id.ts';

export interface ObjectSink {
  begin(id: string, size: number): Promise<void>;
  bytes(chunk: Buffer): Promise<void>;
  /** The object is whole and matches its digest. */
  end(): Promise<void>;
}

/** Hands every object to the sink. Rejects with STORE_BACKUP_DAMAGED when one is cut or does not match its digest. */
export async function readObjects(
  path: string,
  source: AsyncIterable<Buffer>,
  sink: ObjectSink,
): Promise<void> {
  const reader = new ByteReader(source);
  for (;;) {
    const head = await reader.exactly(OBJECT_HEAD_BYTES);
    if (head === undefined) {
      if (reader.atEnd) return;
      throw damaged(path, 'the objects end within one');
    }
    const id = head.toString('latin1', 0, OBJECT_ID_BYTES);
    const size = Number(head.readBigUInt64BE(OBJECT_ID_BYTES));
    if (!isObjectId(id) || size > MAX_OBJECT_BYTES) throw damaged(path, 'an object has no proper head');
    await sink.begin(id, size);
    const hash = createHash('sha256');
    for (let left = size; left > 0; ) {
      const chunk = await reader.upTo(left);
      if (chunk === undefined) throw damaged(path, `object ${id} is cut`);
      left -= chunk.length;
      hash.update(chunk);
      await sink.bytes(chunk);
    }
    const digest = await reader.exactly(DIGEST_BYTES);
    if (digest === undefined || !hash.digest().equals(digest)) {
      throw damaged(path, `object ${id} does not match its digest`);
    }
    await sink.end();
  }
}

/** Takes bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** True when every byte was taken. Meaningful after a read gave undefined. */
  get atEnd(): boolean {
    return this.#held.length === 0;
  }

  /** Exactly `count` bytes, or undefined when fewer are left. For small counts. */
  async exactly(count: number): Promise<Buffer | undefined> {
    while (this.#held.length < count) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    }
    return this.#take(count);
  }

  /** At least one and at most `most` bytes, or undefined at the end. */
  async upTo(most: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#held = next.value;
    }
    return this.#take(Math.min(most, this.#held.length));
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }
}
