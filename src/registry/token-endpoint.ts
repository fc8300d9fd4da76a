// `/oauth2/token`: tokens for Basic credentials (Distribution token specification) and for OAuth 2 password and refresh grants.
import { TOKEN_USERNAME, formatScope, parseScope } from '../identity/index.ts';
import type { Access, AccessGrant } from '../identity/index.ts';
import { claimedUser, refuseThrottled } from './authorization.ts';
import type { Exchange, RegistryContext } from './context.ts';
import { DistributionError, methodNotAllowed } from './distribution-errors.ts';
import { readWholeBody } from './request-body.ts';

const MAX_FORM_BYTES = 64 * 1024;
const MAX_SCOPES = 64;

/** Answers GET with Basic and POST with a form. Fewer grants than asked for are not an error. */
export async function serveToken(context: RegistryContext, exchange: Exchange): Promise<void> {
  const { method } = exchange.request;
  if (method === 'GET') await serveBasic(context, exchange);
  else if (method === 'POST') await serveForm(context, exchange);
  else throw methodNotAllowed('GET, POST');
}

/** What an answer says of refresh tokens: nothing, a new one, or the one that was shown. */
type RefreshAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'issue' }
  | { readonly kind: 'same'; readonly token: string };

const NONE: RefreshAnswer = { kind: 'none' };
const ISSUE: RefreshAnswer = { kind: 'issue' };

async function serveBasic(context: RegistryContext, exchange: Exchange): Promise<void> {
  const { request, query } = exchange;
  refuseOtherService(context, query.get('service'));
  const header = request.headers.authorization;
  if (header === undefined || !/^basic /i.test(header)) throw loginRequired(context);
  const access = await context.identity.checkAuthorization(header, context.service);
  if (access === undefined) throw loginFailed(context, exchange, claimedUser(header));
  const offline = query.get('offline_token') === 'true';
  await answer(context, exchange, access, readScopes(query.getAll('scope')), offline ? ISSUE : NONE);
}

async function serveForm(context: RegistryContext, exchange: Exchange): Promise<void> {
  const body = await readWholeBody(
    exchange,
    context.transfers,
    MAX_FORM_BYTES,
    () => new DistributionError(413, { code: 'SIZE_INVALID', message: 'the form is too large' }),
  );
  const form = new URLSearchParams(body.toString('utf8'));
  refuseOtherService(context, form.get('service'));
  const scopes = readScopes(form.getAll('scope'));
  const grantType = form.get('grant_type');
  if (grantType === 'refresh_token') {
    const token = form.get('refresh_token') ?? '';
    const access = await context.identity.checkRefreshToken(token, context.service);
    if (access === undefined) throw loginFailed(context, exchange, 'anonymous');
    await answer(context, exchange, access, scopes, { kind: 'same', token });
    return;
  }
  if (grantType !== 'password') throw badRequest('grant_type must be password or refresh_token');
  const username = form.get('username') ?? '';
  const password = form.get('password') ?? '';
  const access =
    username === TOKEN_USERNAME
      ? await context.identity.checkRefreshToken(password, context.service)
      : await context.identity.checkPassword(username, password);
  if (access === undefined) {
    throw loginFailed(
      context,
      exchange,
      claimedUser(`Basic ${Buffer.from(`${username}:`).toString('base64')}`),
    );
  }
  await answer(context, exchange, access, scopes, form.get('access_type') === 'offline' ? ISSUE : NONE);
}

/** Every `scope` parameter, each of which may hold several scopes. */
function readScopes(parameters: readonly string[]): AccessGrant[] {
  return parseScope(parameters.slice(0, MAX_SCOPES).join(' '));
}

async function answer(
  context: RegistryContext,
  exchange: Exchange,
  access: Access,
  requested: readonly AccessGrant[],
  refresh: RefreshAnswer,
): Promise<void> {
  const issued = await context.identity.issueToken(access, context.service, requested);
  const refreshToken =
    refresh.kind === 'issue'
      ? await context.identity.issueRefreshToken(access, context.service)
      : refresh.kind === 'same'
        ? refresh.token
        : null;
  const body = JSON.stringify({
    token: issued.token,
    access_token: issued.token,
    token_type: 'Bearer',
    expires_in: issued.expiresInSeconds,
    issued_at: issued.issuedAt,
    scope: formatScope(issued.grants),
    ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
  });
  exchange.response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  exchange.response.end(body);
}

function refuseOtherService(context: RegistryContext, service: string | null): void {
  if (service === null || service === '' || service === context.service) return;
  throw badRequest(`this registry issues tokens for the service ${context.service} only`);
}

function badRequest(message: string): DistributionError {
  return new DistributionError(400, { code: 'UNSUPPORTED', message });
}

function loginRequired(context: RegistryContext): DistributionError {
  return new DistributionError(
    401,
    { code: 'UNAUTHORIZED' },
    { 'www-authenticate': `Basic realm="${context.service}"` },
  );
}

function loginFailed(context: RegistryContext, exchange: Exchange, actor: string): DistributionError {
  refuseThrottled(context, exchange.address);
  context.throttle.failed(exchange.address);
  context.denials.record({
    action: 'login.failed',
    actor,
    target: 'registry',
    address: exchange.address,
    detail: { endpoint: '/oauth2/token' },
  });
  return new DistributionError(
    401,
    { code: 'UNAUTHORIZED', message: 'the user name, password or token is wrong' },
    { 'www-authenticate': `Basic realm="${context.service}"` },
  );
}
