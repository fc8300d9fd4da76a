// `/metrics` in the Prometheus text format: for programs on this machine, or with a credential.
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Gate } from '../authentication.ts';
import type { ServerContext } from '../context.ts';

export function metricsRoutes(
  { metrics }: Pick<ServerContext, 'metrics'>,
  gate: Gate,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/metrics', { config: { public: true }, schema: { hide: true } }, async (request, reply) => {
      if (!isLocal(request)) await gate.check(request, reply);
      return reply.type(metrics.contentType).send(await metrics.metrics());
    });
  };
}

/**
 * From this machine itself: the peer is loopback, no proxy stands between, and the name asked for is an address or
 * `localhost` (a web page may point a name of its own at 127.0.0.1).
 */
function isLocal(request: FastifyRequest): boolean {
  const { headers, ip } = request;
  const loopback = ip === '127.0.0.1' || ip === '::1' || ip === '::ffff:127.0.0.1';
  const proxied = 'forwarded' in headers || 'x-forwarded-for' in headers || 'via' in headers;
  const name = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return loopback && !proxied && (name === 'localhost' || isIP(name) !== 0);
}
