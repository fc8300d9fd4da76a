// Transfers over real HTTP: receivers that leave, stall or pipeline give every buffer back.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KiB, MiB } from '../../core/index.ts';
import { BufferPool } from './buffer-pool.ts';
import { transfer } from './transfer.ts';

const SIZE = 16 * MiB;

describe('transfer over HTTP', () => {
  let directory: string;
  let bytes: Buffer;
  let handle: FileHandle;
  let pool: BufferPool;
  let server: Server;
  let port: number;
  let ended: Record<string, number>;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'breakwater-transfer-'));
    bytes = randomBytes(SIZE);
    writeFileSync(join(directory, 'file'), bytes);
    handle = await open(join(directory, 'file'), 'r');
    pool = new BufferPool(8 * MiB);
    ended = {};
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': SIZE });
      const count = (outcome: string): void => {
        ended[outcome] = (ended[outcome] ?? 0) + 1;
      };
      transfer('x', handle, { start: 0, end: SIZE - 1 }, response, pool).then(
        () => {
          response.end();
          count('sent');
        },
        (error: { code: string }) => {
          response.destroy();
          count(error.code);
        },
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await handle.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function request(pipelined = 1): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    for (let n = 0; n < pipelined; n++) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  }

  it('delivers to many at once within the budget', async () => {
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, pool.taken);
    }, 1);
    const received = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const [response] = await once(get({ port, host: '127.0.0.1', agent: false }), 'response');
        return (await buffer(response)).equals(bytes);
      }),
    );
    clearInterval(watch);
    expect(received.every(Boolean)).toBe(true);
    expect(most).toBeLessThanOrEqual(8 * MiB + 20 * 32 * KiB);
    await expect.poll(() => pool.taken).toBe(0);
    expect(ended).toEqual({ sent: 20 });
  });

  it('gives everything back when receivers stall and then leave', async () => {
    const sockets = await Promise.all(Array.from({ length: 30 }, () => request()));
    for (const socket of sockets) socket.pause();
    await expect.poll(() => pool.taken).toBeGreaterThan(MiB);
    const [response] = await once(get({ port, host: '127.0.0.1', agent: false }), 'response');
    expect((await buffer(response)).equals(bytes)).toBe(true);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => pool.taken, { timeout: 5_000 }).toBe(0);
    await expect
      .poll(() => ended, { timeout: 5_000 })
      .toEqual({ sent: 1, STORE_BLOB_DESTINATION_CLOSED: 30 });
  });

  it('gives everything back of answers that wait behind another on the same connection', async () => {
    const socket = await request(3);
    socket.pause();
    await expect.poll(() => pool.taken).toBeGreaterThan(MiB);
    socket.destroy();
    await expect.poll(() => pool.taken, { timeout: 5_000 }).toBe(0);
    expect(ended).toEqual({ STORE_BLOB_DESTINATION_CLOSED: 3 });
  });
});
