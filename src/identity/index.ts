// Who is asking and what they may do: credentials, registry tokens, scopes.
export { identityErrors } from './errors.ts';
export { createIdentity } from './identity.ts';
export type { ClosableIdentity } from './identity.ts';
export { LoginThrottle } from './login-throttle.ts';
export { formatScope, parseScope, permits, permitsApi, permitsCatalog } from './scope.ts';
export { TOKEN_USERNAME } from './types.ts';
export type {
  Access,
  AccessGrant,
  Credential,
  Identity,
  RepositoryAction,
} from './types.ts';
