// Who is asking and what they may do: credentials, registry tokens, scopes.
export { identityErrors } from './errors.ts';
export { createIdentity } from './identity.ts';
export type { ClosableIdentity, IdentityOptions } from './identity.ts';
export { LoginThrottle, throttleKey } from './login-throttle.ts';
export type { LoginThrottleOptions } from './login-throttle.ts';
export { formatScope, parseScope, permits, permitsApi, permitsCatalog } from './scope.ts';
export { MAX_GRANTS, TOKEN_USERNAME } from './types.ts';
export type {
  Access,
  AccessGrant,
  Credential,
  Identity,
  IssuedToken,
  RepositoryAction,
  Subject,
} from './types.ts';
