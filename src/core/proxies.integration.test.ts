// Requests through a loopback proxy: absolute addresses for http, a tunnel for https, exceptions from NO_PROXY.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpAgents, httpSend, proxyAgents, readBody } from './index.ts';

const noOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).error !== undefined;

let proxy: Server;
let origin: Server;
let asked: string[];
let opened: HttpAgents[];

const listen = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeEach(async () => {
  asked = [];
  opened = [];
  origin = createServer((_request, response) => response.end('plain'));
  proxy = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const outgoing = request(incoming.url ?? '', (answer) => answer.pipe(response));
    outgoing.end();
  });
  proxy.on('connect', ({ url = '' }, socket) => {
    asked.push(`CONNECT ${url}`);
    const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [upstream, socket]) end.on('error', () => undefined);
  });
  await Promise.all([listen(proxy), listen(origin)]);
});
afterEach(async () => {
  for (const agents of opened) agents.close();
  for (const server of [proxy, origin]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function get(url: string, environment: Record<string, string>, ca?: string): Promise<string> {
  const agents = proxyAgents(environment, ca);
  opened.push(agents);
  const response = await httpSend({ url: new URL(url), agents });
  return (await readBody(response, 1_000, 'origin')).toString();
}

describe('proxyAgents', () => {
  it('asks the proxy for http addresses', async () => {
    const url = `http://127.0.0.1:${portOf(origin)}/a`;
    expect(await get(url, { HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}` })).toBe('plain');
    expect(asked).toEqual([`GET ${url}`]);
  });

  it('goes straight to hosts of NO_PROXY, and without a proxy', async () => {
    const url = `http://127.0.0.1:${portOf(origin)}/a`;
    const environment = { HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}`, NO_PROXY: '127.0.0.1' };
    expect(await get(url, environment)).toBe('plain');
    expect(await get(url, {})).toBe('plain');
    expect(asked).toEqual([]);
  });

  it('refuses an address that is none, without showing it', () => {
    expect(() => proxyAgents({ HTTPS_PROXY: 'http://user:secret@:x' })).toThrow(
      expect.objectContaining({ code: 'CORE_PROXY_INVALID', message: expect.not.stringContaining('secret') }),
    );
  });

  it.skipIf(noOpenssl)(
    `tunnels https${noOpenssl ? ' (skipped: openssl is not installed)' : ''}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'breakwater-proxy-'));
      const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      execFileSync('openssl', ['req', '-x509', ...newKey, ...subject, '-keyout', key, '-out', certificate], {
        stdio: 'ignore',
      });
      const ca = readFileSync(certificate, 'utf8');
      const secure = createTlsServer({ key: readFileSync(key), cert: ca }, (_request, response) =>
        response.end('over TLS'),
      );
      rmSync(folder, { recursive: true, force: true });
      await listen(secure);
      try {
        const environment = { HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}` };
        expect(await get(`https://localhost:${portOf(secure)}/b`, environment, ca)).toBe('over TLS');
        expect(asked).toEqual([`CONNECT localhost:${portOf(secure)}`]);
      } finally {
        secure.closeAllConnections();
        secure.close();
      }
    },
  );
});
