// Bearer tokens for a registry: the distribution token specification (GET) and its OAuth 2 form (POST, refresh tokens).
import { type Clock, httpSend, readBody } from '../../core/index.ts';
import { ociErrors } from '../errors.ts';
import { parseJsonObject, stringAt } from '../json-document.ts';
import type { Challenge } from './challenge.ts';
import type { RegistryCredential } from './credentials.ts';

const MAX_TOKEN_ANSWER = 256 * 1024;
const CLIENT_ID = 'breakwater';
/** Token specification: a server that names no lifetime means 60 seconds. */
const DEFAULT_LIFETIME_S = 60;

export interface BearerToken {
  readonly token: string;
  /** Milliseconds since the epoch after which it is not used any more. */
  readonly usableUntil: number;
}

export interface TokenRequest {
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly credential: RegistryCredential | null;
  /** The registry the challenge came from, `host[:port]`. */
  readonly host: string;
  /** Whether that registry is spoken to without TLS; only then may its token server be. */
  readonly plainHttp: boolean;
  readonly clock: Clock;
  readonly addresses: 'any' | 'public-only';
  readonly signal?: AbortSignal;
}

/** Asks the token server that a challenge names. Throws `OCI_REGISTRY_DENIED` or `OCI_REGISTRY_ANSWER`. */
export async function requestToken(request: TokenRequest): Promise<BearerToken> {
  const { challenge, credential, host, signal } = request;
  const realm = tokenServer(request);
  const service = challenge.parameters.get('service') ?? '';
  const usesRefreshToken = credential?.kind === 'identity-token';
  const form = new URLSearchParams();
  if (usesRefreshToken) {
    form.set('grant_type', 'refresh_token');
    form.set('client_id', CLIENT_ID);
    form.set('refresh_token', credential.token);
    if (service !== '') form.set('service', service);
    form.set('scope', request.scopes.join(' '));
  } else {
    if (service !== '') realm.searchParams.set('service', service);
    for (const scope of request.scopes) realm.searchParams.append('scope', scope);
  }
  const response = await httpSend({
    url: realm,
    addresses: request.addresses,
    ...(signal ? { signal } : {}),
    ...(usesRefreshToken
      ? {
          method: 'POST',
          body: form.toString(),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }
      : { headers: credential?.kind === 'basic' ? { authorization: basicAuthorization(credential) } : {} }),
  });
  const body = await readBody(response, MAX_TOKEN_ANSWER, realm.host);
  if (response.status === 401 || response.status === 403) {
    const reason = `its token server answered ${response.status}`;
    throw ociErrors.create('OCI_REGISTRY_DENIED', {
      host,
      what: request.scopes.join(' ') || 'the registry',
      reason,
    });
  }
  if (response.status !== 200) throw badAnswer(host, `status ${response.status}`);
  return readToken(body, request);
}

/** The value of an Authorization header (RFC 7617). */
export function basicAuthorization(credential: {
  readonly username: string;
  readonly password: string;
}): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

/** The realm's address; credentials must not be sent in the clear because a challenge says so. */
function tokenServer(request: TokenRequest): URL {
  const text = request.challenge.parameters.get('realm') ?? '';
  const realm = URL.canParse(text) ? new URL(text) : null;
  const isAllowed = realm?.protocol === 'https:' || (realm?.protocol === 'http:' && request.plainHttp);
  if (realm === null || !isAllowed) throw badAnswer(request.host, 'its challenge names no usable realm');
  return realm;
}

function readToken(body: Buffer, request: TokenRequest): BearerToken {
  const document = parseJsonObject(body);
  if (typeof document === 'string') throw badAnswer(request.host, document);
  const token = stringAt(document, 'token') || stringAt(document, 'access_token');
  if (!token || !/^[\x21-\x7e]+$/.test(token)) throw badAnswer(request.host, 'there is no token in it');
  const expiresIn = document['expires_in'];
  const lifetime = typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn : DEFAULT_LIFETIME_S;
  // A tenth of the lifetime is kept back, so that a token does not run out on its way.
  return { token, usableUntil: request.clock.now() + Math.min(lifetime, 86_400) * 900 };
}

function badAnswer(host: string, reason: string): Error {
  return ociErrors.create('OCI_REGISTRY_ANSWER', { host, what: 'the token request', reason });
}
