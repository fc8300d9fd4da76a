// Who may do what on `/v2`: the bearer challenge (Distribution token specification) and the check of what comes back.
import type { IncomingMessage } from 'node:http';
import { TOKEN_USERNAME, permits, permitsCatalog } from '../identity/index.ts';
import type { Access, RepositoryAction } from '../identity/index.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError } from './distribution-errors.ts';

/** What a request needs. `null` means only to be somebody. `mountFrom` is asked for too, but not needed: without it nothing is mounted. */
export type Need =
  | {
      readonly type: 'repository';
      readonly name: string;
      readonly action: RepositoryAction;
      readonly mountFrom?: string;
    }
  | { readonly type: 'catalog' }
  | null;

/** What clients are told to ask a token for. A push also reads: clients check what is there before they send. */
const CHALLENGE_ACTIONS: Readonly<Record<RepositoryAction, string>> = {
  pull: 'pull',
  push: 'pull,push',
  delete: 'delete',
};

/**
 * The access of a request that may do what it needs.
 * Ends the request with 401 and a challenge, 403 when a password was right but not enough, 429 after many failures.
 * The answer never depends on whether the repository exists.
 */
export async function authorize(context: RegistryContext, exchange: Exchange, need: Need): Promise<Access> {
  const { request, address } = exchange;
  const header = request.headers.authorization;
  if (header === undefined) throw unauthorized(context, request, need);
  const isBearer = /^bearer /i.test(header);
  const access = await context.identity.checkAuthorization(header, context.service);
  if (access === undefined) {
    if (!isBearer) {
      refuseThrottled(context, address);
      context.throttle.failed(address);
    }
    context.denials.record({
      action: 'login.failed',
      actor: claimedUser(header),
      target: describeNeed(need),
      address,
      detail: { scheme: isBearer ? 'bearer' : 'basic' },
    });
    throw unauthorized(context, request, need, isBearer ? 'invalid_token' : undefined);
  }
  if (mayDo(access, need)) return access;
  context.denials.record({
    action: 'access.denied',
    actor: access.subject.name,
    target: describeNeed(need),
    address,
    detail: { action: actionOf(need) },
  });
  if (isBearer) throw unauthorized(context, request, need, 'insufficient_scope');
  throw new DistributionError(403, { code: 'DENIED', detail: detailOf(need) });
}

/**
 * Ends a failed login with 429 when its address has failed too often. Called only after the credential proved wrong:
 * whoever shares an address with a guesser still gets in with the right one.
 */
export function refuseThrottled(context: RegistryContext, address: string): void {
  const seconds = context.throttle.retryAfterSeconds(address);
  if (seconds === 0) return;
  throw new DistributionError(
    429,
    { code: 'TOOMANYREQUESTS', message: 'too many failed logins from this address' },
    { 'retry-after': String(seconds) },
  );
}

function mayDo(access: Access, need: Need): boolean {
  if (need === null) return true;
  return need.type === 'catalog' ? permitsCatalog(access) : permits(access, need.name, need.action);
}

function unauthorized(
  context: RegistryContext,
  request: IncomingMessage,
  need: Need,
  error?: 'invalid_token' | 'insufficient_scope',
): DistributionError {
  const parts = [
    `realm="${registryUrl(context, request)}/oauth2/token"`,
    `service="${context.service}"`,
    ...(need === null ? [] : [`scope="${challengeScope(need)}"`]),
    ...(error === undefined ? [] : [`error="${error}"`]),
  ];
  return new DistributionError(
    401,
    { code: 'UNAUTHORIZED', ...(need === null ? {} : { detail: detailOf(need) }) },
    {
      'www-authenticate': `Bearer ${parts.join(',')}`,
      'docker-distribution-api-version': 'registry/2.0',
    },
  );
}

function challengeScope(need: NonNullable<Need>): string {
  if (need.type === 'catalog') return 'registry:catalog:*';
  const source = need.mountFrom === undefined ? '' : ` repository:${need.mountFrom}:pull`;
  return `repository:${need.name}:${CHALLENGE_ACTIONS[need.action]}${source}`;
}

function detailOf(need: Need): readonly object[] {
  if (need === null) return [];
  if (need.type === 'catalog') return [{ Type: 'registry', Name: 'catalog', Action: '*' }];
  return CHALLENGE_ACTIONS[need.action]
    .split(',')
    .map((action) => ({ Type: 'repository', Name: need.name, Action: action }));
}

function describeNeed(need: Need): string {
  if (need === null) return 'registry';
  return need.type === 'catalog' ? 'catalog' : need.name;
}

function actionOf(need: Need): string {
  if (need === null) return 'login';
  return need.type === 'catalog' ? 'list' : need.action;
}

/** The user name of a Basic header, for the audit trail: it was claimed, not proved. */
export function claimedUser(header: string): string {
  const match = /^basic +([A-Za-z0-9+/]{1,2048}=*)/i.exec(header);
  if (match?.[1] === undefined) return 'anonymous';
  const name = Buffer.from(match[1], 'base64').toString('utf8').split(':', 1)[0] ?? '';
  if (name === '' || name === TOKEN_USERNAME) return 'anonymous';
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 128);
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/**
 * The address clients reach this registry at: as configured, or else the host the request itself names. Forwarding
 * headers are not believed.
 */
export function registryUrl(context: RegistryContext, request: IncomingMessage): string {
  if (context.externalUrl !== null) return context.externalUrl;
  const { socket } = request;
  const scheme = 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http';
  const host = request.headers.host;
  if (host !== undefined && HOST.test(host)) return `${scheme}://${host}`;
  const address = socket.localAddress ?? 'localhost';
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${socket.localPort ?? 80}`;
}
