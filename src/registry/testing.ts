// Test support (imported by tests only): a real registry on a real store, and the requests tests send to it.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBus, createMetrics, silentLogger, systemClock, systemRandomness } from '../core/index.ts';
import type { Metrics } from '../core/index.ts';
import { createIdentity } from '../identity/index.ts';
import type { ClosableIdentity } from '../identity/index.ts';
import type { Store } from '../store/index.ts';
import { openTestStore } from '../store/testing.ts';
import { createRegistry } from './registry.ts';
import type { Registry, RegistryOptions } from './types.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: () => unknown;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Default: the administrator's Basic credential. Null sends none. */
  readonly authorization?: string | null;
}

export interface TestRegistry {
  readonly store: Store;
  readonly identity: ClosableIdentity;
  readonly events: EventBus;
  readonly metrics: Metrics;
  readonly username: string;
  readonly password: string;
  readonly basic: string;
  registry: Registry;
  port: number;
  send(method: string, path: string, sending?: Sending): Promise<Reply>;
  /** Starts a request whose body the test writes itself. */
  open(method: string, path: string, headers?: Readonly<Record<string, string>>): ClientRequest;
  /** A bearer token for scopes like `repository:a:pull`. */
  token(...scopes: string[]): Promise<string>;
  /** Closes the registry and makes another one on the same store, as after a restart. */
  restart(options?: Partial<RegistryOptions>): Promise<void>;
  close(): Promise<void>;
}

export async function openTestRegistry(options: Partial<RegistryOptions> = {}): Promise<TestRegistry> {
  const keyDirectory = await mkdtemp(join(tmpdir(), 'breakwater-registry-'));
  const store = await openTestStore();
  const shared = { logger: silentLogger(), clock: systemClock, randomness: systemRandomness };
  const identity = await createIdentity({ store, keyDirectory, ...shared });
  const credential = await identity.ensureAdministrator();
  if (credential === null) throw new Error('the store is not new');
  const events = new EventBus(shared.logger);
  const basic = `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
  const start = async (
    more: Partial<RegistryOptions>,
  ): Promise<{ registry: Registry; port: number; metrics: Metrics }> => {
    const metrics = createMetrics();
    const registry = await createRegistry({ store, identity, events, metrics, ...shared, ...more });
    const { port } = await registry.listen('127.0.0.1', 0);
    return { registry, port, metrics };
  };
  const test: TestRegistry = {
    store,
    identity,
    events,
    ...credential,
    basic,
    ...(await start(options)),
    send: (method, path, sending = {}) =>
      sendRequest(test.port, method, path, { authorization: basic, ...sending }),
    open: (method, path, headers = {}) =>
      httpRequest({
        host: '127.0.0.1',
        port: test.port,
        method,
        path,
        agent: false,
        headers: { authorization: basic, ...headers },
      }),
    async token(...scopes) {
      const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&');
      const reply = await test.send('GET', `/oauth2/token?${query}`);
      const { token } = reply.json() as { token: string };
      return `Bearer ${token}`;
    },
    async restart(more = options) {
      await test.registry.close();
      Object.assign(test, await start(more));
    },
    async close() {
      await test.registry.close();
      identity.close();
      await store.close();
      await rm(keyDirectory, { recursive: true, force: true });
    },
  };
  return test;
}

function sendRequest(port: number, method: string, path: string, sending: Sending): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { authorization, body, headers } = sending;
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: {
        ...(authorization === undefined || authorization === null ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: bytes,
          json: () => JSON.parse(bytes.toString('utf8')) as unknown,
        });
      });
    });
    outgoing.end(body);
  });
}

export function sha256(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Stores a blob in one request; resolves to its digest. */
export async function pushBlob(
  test: TestRegistry,
  repository: string,
  bytes: Buffer = randomBytes(1_000),
): Promise<string> {
  const digest = sha256(bytes);
  const reply = await test.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes });
  if (reply.status !== 201)
    throw new Error(`pushing a blob answered ${reply.status} ${reply.body.toString()}`);
  return digest;
}

export interface PushedImage {
  readonly digest: string;
  readonly manifest: Buffer;
  readonly config: string;
  readonly layer: string;
}

/** Stores an image of one random layer under a tag. */
export async function pushImage(
  test: TestRegistry,
  repository: string,
  tag: string,
  layerBytes?: Buffer,
): Promise<PushedImage> {
  const configBytes = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', id: randomBytes(8).toString('hex') }),
  );
  const config = await pushBlob(test, repository, configBytes);
  const bytes = layerBytes ?? randomBytes(2_000);
  const layer = await pushBlob(test, repository, bytes);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: config,
        size: configBytes.length,
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: bytes.length }],
    }),
  );
  await putManifest(test, repository, tag, manifest);
  return { digest: sha256(manifest), manifest, config, layer };
}

export async function putManifest(
  test: TestRegistry,
  repository: string,
  reference: string,
  manifest: Buffer,
  mediaType: string = OCI_MANIFEST,
): Promise<Reply> {
  const reply = await test.send('PUT', `/v2/${repository}/manifests/${reference}`, {
    body: manifest,
    headers: { 'content-type': mediaType },
  });
  if (reply.status !== 201)
    throw new Error(`pushing ${reference} answered ${reply.status} ${reply.body.toString()}`);
  return reply;
}

/** Waits until `check` gives something else than undefined or false; fails after ten seconds. */
export async function eventually<T>(check: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error('it did not happen within ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
