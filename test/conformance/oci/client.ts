// A small raw HTTP client for registries: sends what it is told, follows nothing, records every answer.
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export interface Credentials {
  readonly scheme: 'none' | 'basic' | 'bearer';
  readonly username?: string;
  readonly password?: string;
}

export interface Reply {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they came, alternating. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Claims this length and breaks the connection off after the body. */
  readonly claimedLength?: number;
  /** Other repositories that the request touches, e.g. the one that a blob is mounted from. */
  readonly alsoTouches?: readonly string[];
}

/** Marks the requests that prepare a check, so that a broken registry can leave them alone. */
export const PREPARATION_HEADER = 'x-conformance-preparation';
const PREPARING = { [PREPARATION_HEADER]: '1' } as const;

/** Registries may answer old forms to a client that does not say what it takes. */
const ACCEPT = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  '*/*',
].join(', ');

const REPOSITORY = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//;

export class RegistryClient {
  readonly base: URL;
  /** Every answer so far to requests under test, oldest first. */
  readonly replies: Reply[] = [];
  readonly #credentials: Credentials;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #tokens = new Map<string, string>();
  readonly #marks: Readonly<Record<string, string>>;
  #challenge: Promise<{ realm: URL; service: string }> | undefined;

  constructor(base: URL, credentials: Credentials, preparing = false) {
    this.base = base;
    this.#credentials = credentials;
    this.#marks = preparing ? PREPARING : {};
  }

  /** Sends one request, signed in. `target` is a path with query, or an absolute URL as found in `Location`. */
  async send(method: string, target: string, sending: Sending = {}): Promise<Reply> {
    const url = new URL(target, this.base);
    const authorization = await this.#authorization(url, sending.alsoTouches ?? []);
    const reply = await this.#exchange(method, url, {
      ...sending,
      headers: { accept: ACCEPT, ...this.#marks, ...authorization, ...sending.headers },
    });
    this.replies.push(reply);
    return reply;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #authorization(url: URL, alsoTouches: readonly string[]): Promise<Record<string, string>> {
    const { scheme, username = '', password = '' } = this.#credentials;
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    if (scheme === 'none') return {};
    if (scheme === 'basic') return { authorization: basic };
    const repository = REPOSITORY.exec(decodeURI(url.pathname))?.[1];
    const names = [...(repository === undefined ? [] : [repository]), ...alsoTouches];
    const scope = names.map((name) => `repository:${name}:pull,push,delete`).join(' ');
    const known = this.#tokens.get(scope);
    if (known !== undefined) return { authorization: `Bearer ${known}` };
    this.#challenge ??= this.#askChallenge();
    const { realm, service } = await this.#challenge;
    const tokenUrl = new URL(realm);
    tokenUrl.searchParams.set('service', service);
    for (const name of names) tokenUrl.searchParams.append('scope', `repository:${name}:pull,push,delete`);
    const reply = await this.#exchange('GET', tokenUrl, {
      headers: { authorization: basic, ...this.#marks },
    });
    const answer: unknown = reply.status === 200 ? JSON.parse(reply.body.toString()) : undefined;
    if (typeof answer !== 'object' || answer === null || !('token' in answer)) {
      throw new Error(`no token for ${scope}: status ${reply.status}`);
    }
    this.#tokens.set(scope, String(answer.token));
    return { authorization: `Bearer ${String(answer.token)}` };
  }

  async #askChallenge(): Promise<{ realm: URL; service: string }> {
    const reply = await this.#exchange('GET', new URL('/v2/', this.base), { headers: PREPARING });
    const challenge = reply.headers['www-authenticate'] ?? '';
    const realm = /realm="([^"]+)"/.exec(challenge)?.[1];
    const service = /service="([^"]+)"/.exec(challenge)?.[1];
    if (reply.status !== 401 || realm === undefined || service === undefined) {
      throw new Error(`no bearer challenge: status ${reply.status}, ${challenge}`);
    }
    return { realm: new URL(realm), service };
  }

  #exchange(method: string, url: URL, sending: Sending): Promise<Reply> {
    const { body, claimedLength } = sending;
    const length = claimedLength ?? body?.length ?? (method === 'GET' || method === 'HEAD' ? undefined : 0);
    return new Promise((resolve, reject) => {
      const outgoing = request(url, {
        method,
        agent: this.#agent,
        headers: { ...(length === undefined ? {} : { 'content-length': length }), ...sending.headers },
      });
      outgoing.on('error', (error) => {
        // A connection that we broke off ourselves has no answer: say so as a reply without status.
        if (claimedLength === undefined) reject(error);
        else resolve(noReply(method, url));
      });
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            method,
            path: `${url.pathname}${url.search}`,
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            rawHeaders: incoming.rawHeaders,
            body: Buffer.concat(chunks),
          }),
        );
      });
      if (claimedLength === undefined) outgoing.end(body);
      else outgoing.write(body ?? '', () => setTimeout(() => outgoing.destroy(new Error('broken off')), 50));
    });
  }
}

function noReply(method: string, url: URL): Reply {
  const path = `${url.pathname}${url.search}`;
  return { method, path, status: 0, headers: {}, rawHeaders: [], body: Buffer.alloc(0) };
}
