// The `Authorization` request header: Basic (RFC 7617) and Bearer (RFC 6750).

/** Longest header value looked at, in characters. */
export const MAX_AUTHORIZATION_CHARACTERS = 12 * 1024;

export type AuthorizationHeader =
  | { readonly scheme: 'basic'; readonly username: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

const SHAPE = /^(basic|bearer) +([A-Za-z0-9._~+/-]+=*) *$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Takes the header apart. Undefined for anything that is not one of the two schemes. Never throws. */
export function parseAuthorization(value: string): AuthorizationHeader | undefined {
  if (value.length > MAX_AUTHORIZATION_CHARACTERS) return undefined;
  const match = SHAPE.exec(value);
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2];
  if (scheme === undefined || rest === undefined) return undefined;
  if (scheme === 'bearer') return { scheme, token: rest };
  if (!BASE64.test(rest)) return undefined;
  const decoded = Buffer.from(rest, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  return { scheme: 'basic', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
