// Reads request bodies that fit in memory, and gets rid of those nobody wants.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MiB } from '../core/index.ts';
import type { Exchange } from './context.ts';
import type { DistributionError } from './distribution-errors.ts';
import type { TransferWatch } from './transfer-watch.ts';

/** Thrown when the client went away before its request was complete. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection before its request was complete');
    this.name = 'ClientGone';
  }
}

/** The `Content-Length` of a request; undefined when it is sent in chunks of unknown total. */
export function declaredLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  if (header === undefined) return request.headers['transfer-encoding'] === undefined ? 0 : undefined;
  const length = Number(header);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

/** Tells a client that asked (`Expect: 100-continue`) that its body is welcome. Call before reading a body. */
export function welcomeBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined) response.writeContinue();
}

/** The whole body. Ends the request with `tooLarge` when it has more than `limit` bytes. */
export async function readWholeBody(
  exchange: Exchange,
  transfers: TransferWatch,
  limit: number,
  tooLarge: () => DistributionError,
): Promise<Buffer> {
  const { request, response } = exchange;
  const declared = declaredLength(request);
  if (declared !== undefined && declared > limit) throw tooLarge();
  welcomeBody(request, response);
  const before = request.socket.bytesRead;
  const unwatch = transfers.add({
    moved: () => request.socket.bytesRead - before,
    stop: () => request.destroy(),
  });
  try {
    return await collect(request, limit, tooLarge);
  } finally {
    unwatch();
  }
}

function collect(
  request: IncomingMessage,
  limit: number,
  tooLarge: () => DistributionError,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: Error): void => {
      request.off('data', onData);
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        request.pause();
        stop(tooLarge());
      } else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => {
      if (request.complete)
        resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
      else stop(new ClientGone());
    });
    request.once('error', () => stop(new ClientGone()));
    request.once('close', () => {
      if (!request.complete) stop(new ClientGone());
    });
  });
}

const DISCARD_BYTES = 64 * MiB;
const DISCARD_MS = 30_000;

/**
 * Reads on what is left of a body after the answer was written, so that the client sees the answer instead of a reset
 * connection; within limits, after which the connection is closed.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = DISCARD_BYTES;
  const timer = setTimeout(() => request.destroy(), DISCARD_MS);
  timer.unref();
  const done = (): void => clearTimeout(timer);
  request.once('end', done);
  request.once('close', done);
  request.on('error', done);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}
