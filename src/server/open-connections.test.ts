// Closing what has no request under way, with real sockets: kept-alive, never used, and busy connections.
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { OpenConnections } from './open-connections.ts';

it('closes kept-alive and unused connections, and lets an answer under way end', async () => {
  let waiting: ServerResponse | undefined;
  const server = createServer((request, response) => {
    if (request.url === '/slow') waiting = response;
    else response.end('done');
  });
  const connections = new OpenConnections(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const unused = await open();
  const kept = await open();
  kept.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(kept, 'data');
  const busy = await open();
  busy.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  let answer = '';
  busy.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  while (waiting === undefined) await new Promise((resolve) => setTimeout(resolve, 5));

  const closed = new Promise((resolve) => server.close(resolve));
  connections.closeIdle();
  await Promise.all([once(unused, 'close'), once(kept, 'close')]);
  expect(busy.destroyed).toBe(false);
  waiting.end('late');
  while (!answer.includes('late')) await new Promise((resolve) => setTimeout(resolve, 5));
  connections.closeIdle();
  await closed;
  connections.closeAll();
});
