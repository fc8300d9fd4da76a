// Every path but the public ones wants the administrator's credential (HTTP Basic) or a bearer token (RFC 7617, RFC 6750).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../core/index.ts';
import { type Access, type Identity, LoginThrottle, permitsApi } from '../identity/index.ts';
import type { AuditTrail } from '../store/index.ts';
import { serverErrors } from './errors.ts';

const CHALLENGE = 'Basic realm="Breakwater", charset="UTF-8", Bearer realm="Breakwater"';
/** Failures of one address that are written to the audit trail at once, and seconds until one more is. */
const AUDITED_BURST = 10;
const AUDITED_REFILL_SECONDS = 6;

export interface AuthenticationOptions {
  readonly identity: Identity;
  readonly service: string;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** Adds the check to every route of the instance and to paths that do not exist. */
export function requireAuthentication(app: FastifyInstance, gate: Gate): void {
  app.decorateRequest('access', null);
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.public === true) return;
    refuseCrossSite(request);
    request.access = await gate.check(request, reply);
  });
}

/** Checks one request; also used by paths that are public to some and closed to others. */
export class Gate {
  readonly #options: AuthenticationOptions;
  readonly #throttle: LoginThrottle;
  readonly #audited: LoginThrottle;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#throttle = new LoginThrottle(options.clock);
    this.#audited = new LoginThrottle(options.clock, {
      burst: AUDITED_BURST,
      refillSeconds: AUDITED_REFILL_SECONDS,
    });
  }

  /** @throws SERVER_UNAUTHORIZED, SERVER_FORBIDDEN, SERVER_TOO_MANY_FAILURES */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<Access> {
    const { identity, service } = this.#options;
    const { authorization } = request.headers;
    const address = request.ip;
    const access = await identity.checkAuthorization(authorization, service);
    if (access === undefined) {
      if (authorization !== undefined) {
        this.#refuseThrottled(address, reply);
        this.#throttle.failed(address);
        this.#record('login.failed', 'anonymous', request);
      }
      void reply.header('www-authenticate', CHALLENGE);
      throw serverErrors.create('SERVER_UNAUTHORIZED');
    }
    if (!permitsApi(access, isReading(request) ? 'read' : 'write')) {
      this.#record('access.denied', access.subject.name, request);
      throw serverErrors.create('SERVER_FORBIDDEN', { subject: access.subject.name });
    }
    return access;
  }

  /** Only wrong credentials wait: whoever shares an address with a guesser still gets in with the right one. */
  #refuseThrottled(address: string, reply: FastifyReply): void {
    const seconds = this.#throttle.retryAfterSeconds(address);
    if (seconds === 0) return;
    void reply.header('retry-after', String(seconds));
    throw serverErrors.create('SERVER_TOO_MANY_FAILURES', { seconds });
  }

  /** A flood of failures must not become a flood of rows. */
  #record(action: string, actor: string, request: FastifyRequest): void {
    if (this.#audited.retryAfterSeconds(request.ip) > 0) return;
    this.#audited.failed(request.ip);
    const target = `${request.method} ${request.url.split('?')[0]?.slice(0, 200) ?? ''}`;
    this.#options.audit.append({ action, actor, target, result: 'denied', address: request.ip });
  }
}

/**
 * A browser sends a remembered Basic credential along with forms of other sites (CSRF). Programs send neither
 * `Sec-Fetch-Site` nor `Origin`.
 */
function refuseCrossSite(request: FastifyRequest): void {
  if (isReading(request)) return;
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const foreignOrigin = origin !== undefined && hostOf(origin) !== host;
  if (foreignSite || foreignOrigin) throw serverErrors.create('SERVER_CROSS_SITE');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isReading(request: FastifyRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}
