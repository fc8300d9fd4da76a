// Which Authorization header a registry wants for a scope: learnt from its challenge, then remembered.
import { ociErrors } from '../errors.ts';
import type { Challenge } from './challenge.ts';
import { type BearerToken, basicAuthorization, requestToken, type TokenRequest } from './tokens.ts';

/** Answers challenges of one registry and keeps its tokens by scope. */
export class Authorization {
  readonly #context: Omit<TokenRequest, 'challenge' | 'scopes' | 'signal'>;
  readonly #tokens = new Map<string, BearerToken>();
  #usesBasic = false;

  constructor(context: Omit<TokenRequest, 'challenge' | 'scopes' | 'signal'>) {
    this.#context = context;
  }

  /** The header to send without being asked, if there is one. */
  current(scopes: readonly string[]): string | undefined {
    const { credential, clock } = this.#context;
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (this.#usesBasic && credential?.kind === 'basic') return basicAuthorization(credential);
    const token = this.#tokens.get(scopes.join(' '));
    return token !== undefined && token.usableUntil > clock.now() ? `Bearer ${token.token}` : undefined;
  }

  /** The header that answers a 401. Throws `OCI_REGISTRY_DENIED` when nothing can. */
  async answer(
    challenges: readonly Challenge[],
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<string> {
    const { credential, host } = this.#context;
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer !== undefined && credential?.kind !== 'bearer') {
      const request = { ...this.#context, challenge: bearer, scopes, ...(signal ? { signal } : {}) };
      const token = await requestToken(request);
      this.#tokens.set(scopes.join(' '), token);
      return `Bearer ${token.token}`;
    }
    const acceptsBasic = challenges.some((challenge) => challenge.scheme === 'basic');
    if (acceptsBasic && credential?.kind === 'basic' && !this.#usesBasic) {
      this.#usesBasic = true;
      return basicAuthorization(credential);
    }
    const reason =
      credential === null ? 'it wants a credential and none is known' : 'the credential is not accepted';
    throw ociErrors.create('OCI_REGISTRY_DENIED', { host, what: scopes.join(' ') || 'the registry', reason });
  }
}
