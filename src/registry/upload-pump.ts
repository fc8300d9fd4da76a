// Moves a request body into an object: back-pressure, digest, limits, and what to do when either side gives up.
import type { IncomingMessage } from 'node:http';
import { exerciseNursery, MiB } from '../core/index.ts';
import type { DigestHasher } from '../oci/index.ts';
import type { BlobWriter } from '../store/index.ts';
import { ClientGone } from './request-body.ts';

/** Bytes taken off the socket and not yet handed to the writer before the socket is paused. */
const HIGH_WATER_BYTES = MiB;
const LOW_WATER_BYTES = MiB / 4;

export interface PumpTarget {
  readonly writer: BlobWriter;
  /** Null when the digest will be computed from the stored bytes. */
  readonly hasher: DigestHasher | null;
  /** Most bytes the body may have. */
  readonly limit: number;
  /** Called between chunks; the next one waits for it. */
  readonly checkpoint?: () => Promise<void>;
}

/** Thrown when a body has more bytes than it may. */
export class BodyTooLong extends Error {
  constructor() {
    super('the body has more bytes than announced or allowed');
    this.name = 'BodyTooLong';
  }
}

/**
 * Resolves to the number of bytes taken when the body is complete.
 * Rejects with `ClientGone`, `BodyTooLong` or the writer's error; what was written until then stays written, and
 * nothing is written after the rejection.
 */
export function receiveBody(request: IncomingMessage, target: PumpTarget): Promise<number> {
  return new BodyPump(request, target).promise;
}

class BodyPump {
  readonly promise: Promise<number>;
  readonly #request: IncomingMessage;
  readonly #target: PumpTarget;
  #queue: Buffer[] = [];
  #queued = 0;
  #received = 0;
  #ended = false;
  #busy = false;
  #failure: Error | undefined;
  #resolve: (received: number) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(request: IncomingMessage, target: PumpTarget) {
    this.#request = request;
    this.#target = target;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('error', this.#onGone);
    request.on('close', this.#onGone);
    // The client may have left while the session was being opened.
    if (request.destroyed && !request.complete) this.#onGone();
  }

  readonly #onData = (chunk: Buffer): void => {
    exerciseNursery(chunk.length);
    this.#received += chunk.length;
    if (this.#received > this.#target.limit) {
      this.#request.pause();
      this.#failure ??= new BodyTooLong();
    } else {
      this.#queue.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued > HIGH_WATER_BYTES) this.#request.pause();
    }
    this.#run();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#run();
  };

  readonly #onGone = (): void => {
    if (!this.#request.complete) this.#failure ??= new ClientGone();
    this.#run();
  };

  #run(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#drain().then(
      () => {
        this.#busy = false;
        this.#settle();
      },
      (error: unknown) => {
        this.#busy = false;
        this.#failure = error instanceof Error ? error : new Error('writing failed');
        this.#queue = [];
        this.#settle();
      },
    );
  }

  async #drain(): Promise<void> {
    for (;;) {
      const batch = this.#queue;
      if (batch.length === 0) return;
      this.#queue = [];
      for (const chunk of batch) {
        this.#target.hasher?.update(chunk);
        await this.#target.writer.write(chunk);
        this.#queued -= chunk.length;
      }
      if (this.#target.checkpoint !== undefined) await this.#target.checkpoint();
      if (this.#failure === undefined && this.#queued < LOW_WATER_BYTES && this.#request.isPaused()) {
        this.#request.resume();
      }
    }
  }

  #settle(): void {
    // Chunks that came while the last batch was written are still taken, also before a failure is reported.
    if (this.#queue.length > 0) {
      this.#run();
      return;
    }
    if (this.#failure !== undefined) this.#finish(() => this.#reject(this.#failure ?? new ClientGone()));
    else if (this.#ended) this.#finish(() => this.#resolve(this.#received));
  }

  #finish(report: () => void): void {
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    this.#request.off('close', this.#onGone);
    report();
  }
}
