// Reads one layer in a single streaming pass: inflate, hash (diffID), walk (OCI image-spec layer.md).
import type { Readable } from 'node:stream';
import { BreakwaterError, describeError, exerciseNursery } from '../../core/index.ts';
import { DigestHasher } from '../digest.ts';
import { ociErrors } from '../errors.ts';
import { classifyLayerType } from '../media-types.ts';
import type { LayerSummary, LayerVisitor } from '../types.ts';
import { MAGIC_BYTES, sniffCompression } from './compression.ts';
import { createInflater, type Inflater } from './inflation.ts';
import { DEFAULT_LAYER_LIMITS, type LayerLimits } from './limits.ts';
import { ProblemList } from './problem-list.ts';
import { TarWalker } from './tar-walker.ts';

export interface ReadLayerOptions {
  readonly limits?: Partial<LayerLimits>;
  readonly signal?: AbortSignal;
}

/**
 * Reads a layer's stored bytes to their end and reports its entries to the visitor as they stream by. Never holds more
 * than a few hundred KiB beside what the visitor asks for. Whatever is wrong with the content is a problem in the
 * summary; after damage the rest of the stream is still drained, so that the source can verify its digest.
 *
 * Throws what the source's stream fails with (`OCI_DIGEST_MISMATCH`, …), else `OCI_LAYER_UNREADABLE` or `OCI_ABORTED`,
 * and what the visitor throws. The stream is destroyed in every case.
 */
export async function readLayer(
  stream: Readable,
  mediaType: string,
  visitor: LayerVisitor,
  options: ReadLayerOptions = {},
): Promise<LayerSummary> {
  const { signal } = options;
  const reading = new LayerReading(mediaType, visitor, { ...DEFAULT_LAYER_LIMITS, ...options.limits });
  const abort = (): void => void stream.destroy(ociErrors.create('OCI_ABORTED', {}, signal?.reason));
  try {
    if (signal?.aborted) throw ociErrors.create('OCI_ABORTED', {}, signal.reason);
    signal?.addEventListener('abort', abort, { once: true });
    for await (const chunk of storedBytes(stream)) {
      if (!(await reading.take(chunk))) break;
    }
    return await reading.finish();
  } finally {
    signal?.removeEventListener('abort', abort);
    reading.release();
    stream.on('error', () => {});
    stream.destroy();
  }
}

/** The stream's chunks, its failures as coded errors. */
async function* storedBytes(stream: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream as AsyncIterable<unknown>) {
      if (Buffer.isBuffer(chunk)) yield chunk;
      else if (chunk instanceof Uint8Array) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      else throw new TypeError('the stream does not carry bytes');
    }
  } catch (error) {
    if (error instanceof BreakwaterError) throw error;
    throw ociErrors.create('OCI_LAYER_UNREADABLE', { reason: describeError(error) }, error);
  }
}

/** Thrown through the inflater when a limit is passed; does not leave this file. */
class LimitPassed extends Error {}

class LayerReading {
  readonly #mediaType: string;
  readonly #limits: LayerLimits;
  readonly #problems: ProblemList;
  readonly #walker: TarWalker;
  readonly #hasher = new DigestHasher();
  readonly #isEncrypted: boolean;
  /** The first bytes, while there are too few to tell the compression. */
  #head: Buffer = Buffer.alloc(0);
  #inflater: Inflater | null = null;
  #unsupported = false;
  #size = 0;
  /** A limit was passed: nothing more is read. */
  #stopped = false;

  constructor(mediaType: string, visitor: LayerVisitor, limits: LayerLimits) {
    this.#mediaType = mediaType;
    this.#limits = limits;
    this.#problems = new ProblemList(limits.maxProblems);
    this.#walker = new TarWalker(visitor, limits, this.#problems);
    this.#isEncrypted = classifyLayerType(mediaType)?.encrypted === true;
    if (this.#isEncrypted) {
      this.#problems.add('OCI_LAYER_ENCRYPTED', 'the layer is encrypted and was not read');
    }
  }

  /** False when no more bytes are wanted. */
  async take(chunk: Buffer): Promise<boolean> {
    this.#size += chunk.length;
    if (!this.#isEncrypted && !this.#unsupported) await this.#withinLimits(() => this.#inflate(chunk));
    return !this.#stopped;
  }

  async finish(): Promise<LayerSummary> {
    if (!this.#isEncrypted && !this.#stopped) await this.#withinLimits(() => this.#endInflation());
    const wasInflated = !this.#stopped && this.#inflater?.state === 'ended';
    if (wasInflated) this.#walker.end();
    return {
      diffId: wasInflated ? this.#hasher.digest() : null,
      size: this.#size,
      uncompressedSize: this.#hasher.size,
      entries: this.#walker.entries,
      complete: wasInflated && this.#walker.complete,
      problems: this.#problems.toList(),
    };
  }

  release(): void {
    this.#inflater?.destroy();
  }

  async #withinLimits(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof LimitPassed)) throw error;
      this.#stopped = true;
    }
  }

  async #inflate(chunk: Buffer): Promise<void> {
    if (this.#inflater !== null) return this.#inflater.write(chunk);
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    if (this.#head.length >= MAGIC_BYTES) await this.#start();
  }

  async #endInflation(): Promise<void> {
    if (this.#inflater === null && !this.#unsupported) await this.#start();
    await this.#inflater?.end();
    this.#reportEnd(this.#inflater?.state);
  }

  async #start(): Promise<void> {
    const compression = sniffCompression(this.#head);
    if (compression !== 'none' && compression !== 'gzip' && compression !== 'zstd') {
      const message = `the layer (${this.#mediaType}) is compressed with ${compression}, which container runtimes do not unpack`;
      this.#problems.add('OCI_LAYER_COMPRESSION_UNSUPPORTED', message);
      this.#unsupported = true;
      return;
    }
    this.#inflater = createInflater(compression, (bytes) => this.#inflated(bytes));
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    await this.#inflater.write(head);
  }

  #inflated(bytes: Buffer): void {
    exerciseNursery(bytes.length);
    this.#hasher.update(bytes);
    this.#walker.write(bytes);
    const { maxUncompressedBytes, maxRatio, ratioFloorBytes } = this.#limits;
    const inflated = this.#hasher.size;
    if (inflated > maxUncompressedBytes) {
      const message = `the layer inflates to more than ${maxUncompressedBytes} bytes; reading stopped`;
      this.#problems.add('OCI_LAYER_TOO_LARGE', message);
      throw new LimitPassed();
    }
    if (inflated > ratioFloorBytes && inflated > this.#size * maxRatio) {
      const message = `${this.#size} stored bytes inflate to more than ${inflated}; reading stopped`;
      this.#problems.add('OCI_LAYER_RATIO', message);
      throw new LimitPassed();
    }
  }

  #reportEnd(state: Inflater['state'] | undefined): void {
    if (state === 'damaged') {
      const message = `the compressed data ends early or is damaged after ${this.#hasher.size} uncompressed bytes`;
      this.#problems.add('OCI_LAYER_COMPRESSION_DAMAGED', message);
    } else if (state === 'ended') {
      const unused = this.#size - (this.#inflater?.consumed ?? 0);
      if (unused > 0) {
        this.#problems.add(
          'OCI_LAYER_TRAILING_DATA',
          `${unused} bytes after the compressed data were not read`,
        );
      }
    }
  }
}
