// Connections through a proxy named by HTTP_PROXY, HTTPS_PROXY and NO_PROXY (RFC 9110 9.3.6 CONNECT; Node's own agents).
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { coreErrors } from './http-client.ts';

/** Agents for `httpSend`. Close them when no request will follow. */
export interface HttpAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  close(): void;
}

const VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

/**
 * Agents that go through the proxies of `environment`; the lower-case names count first. `https:` is tunnelled, `http:`
 * is asked for by absolute address. `ca` adds PEM certificates to trust. Throws CORE_PROXY_INVALID.
 */
export function proxyAgents(
  environment: Readonly<Record<string, string | undefined>>,
  ca?: string,
): HttpAgents {
  const proxyEnv: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = environment[name];
    if (value) proxyEnv[name] = value;
  }
  try {
    const http = new HttpAgent({ proxyEnv, keepAlive: true });
    const https = new HttpsAgent({ proxyEnv, keepAlive: true, ...(ca === undefined ? {} : { ca }) });
    return {
      http,
      https,
      close: () => {
        http.destroy();
        https.destroy();
      },
    };
  } catch (error) {
    // The value is not shown: a proxy's address may hold a password.
    throw coreErrors.create('CORE_PROXY_INVALID', {}, error);
  }
}
