// An HTTP proxy that breaks the registry behind it on purpose, one requirement at a time.
import { createServer, request } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PREPARATION_HEADER } from './client.ts';

/** A request under test, as it goes to the registry. May be changed. */
export interface Ask {
  method: string;
  /** Path with query. */
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

/** What comes back. May be changed. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

/** One way of not meeting one requirement. */
export interface Sabotage {
  /** Id of the requirement. */
  readonly must: string;
  /** What is broken, in words. */
  readonly name: string;
  /** Changes the request; an answer given back here is sent in the registry's place. */
  readonly before?: (ask: Ask) => Answer | undefined | void;
  /** Changes the registry's answer. */
  readonly after?: (answer: Answer, ask: Readonly<Ask>) => void;
}

export class BrokenRegistry {
  readonly url: URL;
  readonly #server: Server;
  readonly #target: URL;
  #sabotage: Sabotage | undefined;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    const address = server.address() as AddressInfo;
    this.url = new URL(`http://127.0.0.1:${address.port}/`);
    server.on('request', (incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  /** Stands in front of the registry at `target`, on a free port of the loopback address. */
  static async open(target: URL): Promise<BrokenRegistry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new BrokenRegistry(server, target);
  }

  /** Breaks requests from now on in this way; undefined lets them through as they are. */
  use(sabotage: Sabotage | undefined): void {
    this.#sabotage = sabotage;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let cut = false;
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      cut = true;
    }
    const ask: Ask = {
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: requestHeaders(incoming),
      body: Buffer.concat(chunks),
    };
    const sabotage = PREPARATION_HEADER in ask.headers ? undefined : this.#sabotage;
    const instead = sabotage?.before?.(ask);
    // What the client broke off is broken off at the registry, too.
    const answer = instead ?? (await this.#forward(ask, cut));
    if (!instead) sabotage?.after?.(answer, ask);
    const length = answer.headers['content-length'];
    outgoing.writeHead(answer.status, {
      ...answer.headers,
      ...(ask.method === 'HEAD' || answer.status === 204 || length === undefined
        ? {}
        : { 'content-length': answer.body.length }),
    });
    outgoing.end(ask.method === 'HEAD' ? undefined : answer.body);
  }

  #forward(ask: Ask, cut: boolean): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = cut ? Number(ask.headers['content-length']) : ask.body.length;
      const outgoing = request(new URL(ask.path, this.#target), {
        method: ask.method,
        headers: {
          ...ask.headers,
          ...(ask.body.length > 0 || 'content-length' in ask.headers ? { 'content-length': length } : {}),
        },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = incoming.headers;
          resolve({ status: incoming.statusCode ?? 502, headers, body: Buffer.concat(chunks) });
        });
      });
      if (cut)
        outgoing.write(ask.body, () => setTimeout(() => outgoing.destroy(new Error('broken off')), 20));
      else outgoing.end(ask.body);
    });
  }
}

function requestHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (name !== 'connection' && typeof value === 'string') headers[name] = value;
  }
  return headers;
}
