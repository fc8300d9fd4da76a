// The address guard and the limits of the outgoing HTTP client, against real loopback servers.
import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { coreErrors, httpSend, isPublicAddress, readBody } from './http-client.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(body: string | Buffer): Promise<URL> {
  server = createServer((_request, response) => response.end(body));
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  return new URL(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
}

describe('isPublicAddress', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
    '',
  ])('refuses %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'accepts %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()),
        (text) => typeof isPublicAddress(text) === 'boolean',
      ),
    );
  });
});

describe('httpSend', () => {
  it('refuses a loopback address and a name that resolves to one, when only public addresses are allowed', async () => {
    const url = await serve('secret');
    for (const target of [url, new URL(url.href.replace('127.0.0.1', 'localhost'))]) {
      const error: unknown = await httpSend({ url: target, addresses: 'public-only' }).catch(
        (reason: unknown) => reason,
      );
      expect(coreErrors.is(error, 'CORE_HTTP_ADDRESS_REFUSED'), target.href).toBe(true);
    }
  });

  it('reads a body up to the limit and no further', async () => {
    const url = await serve(Buffer.alloc(10_000, 1));
    expect((await readBody(await httpSend({ url }), 10_000, url.host)).length).toBe(10_000);
    const error: unknown = await readBody(await httpSend({ url }), 9_999, url.host).catch(
      (reason: unknown) => reason,
    );
    expect(coreErrors.is(error, 'CORE_HTTP_TOO_LARGE')).toBe(true);
  });

  it('gives a coded error when nothing listens', async () => {
    const url = await serve('');
    server?.close();
    server?.closeAllConnections();
    const error: unknown = await httpSend({ url }).catch((reason: unknown) => reason);
    expect(coreErrors.is(error, 'CORE_HTTP_FAILED')).toBe(true);
  });
});
