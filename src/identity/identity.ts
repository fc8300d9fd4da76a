// Signs in and checks who is asking: passwords, access and refresh tokens, the administrator's credential.
import { join } from 'node:path';
import type { Clock, Logger, Randomness } from '../core/index.ts';
import { withTransaction } from '../store/index.ts';
import type { DatabaseTransaction, Store } from '../store/index.ts';
import { parseAuthorization } from './authorization-header.ts';
import { CREDENTIAL_KEY_PREFIX, Credentials } from './credentials.ts';
import { identityErrors } from './errors.ts';
import { createKeyDirectory, readOrCreateKeyFile } from './key-files.ts';
import { makePassword, passwordHmac, passwordMatches, pepperId } from './password.ts';
import { intersectGrants } from './scope.ts';
import { makeSigningKeyFile, parseSigningKey } from './signing-key.ts';
import { insertAdministrator, replaceAdministrator } from './store.ts';
import type { NewCredential } from './store.ts';
import { ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS, TokenAuthority } from './tokens.ts';
import type { TokenUse, VerifiedToken } from './tokens.ts';
import { MAX_GRANTS, TOKEN_USERNAME } from './types.ts';
import type { Access, AccessGrant, Credential, Identity, IssuedToken } from './types.ts';
import { VerificationCache } from './verification-cache.ts';

const ADMINISTRATOR = 'admin';
const PEPPER_BYTES = 32;
const MAX_CACHED_TOKENS = 10_000;
/** A refresh token this close to its end is not taken any more. */
const REFRESH_RESERVE_MS = 60_000;

export interface IdentityOptions {
  readonly store: Store;
  /** Where the signing key and the pepper are kept; made when it is not there. */
  readonly keyDirectory: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

/** An identity that can be closed: it then hears of no more changes. */
export interface ClosableIdentity extends Identity {
  close(): void;
}

/**
 * Opens or makes the keys, reads the credentials and stands ready to check.
 * @throws IDENTITY_KEY_UNREADABLE, IDENTITY_STORE_UNAVAILABLE
 */
export async function createIdentity(options: IdentityOptions): Promise<ClosableIdentity> {
  const { store, keyDirectory, clock, randomness, logger } = options;
  await createKeyDirectory(keyDirectory);
  const keyPath = join(keyDirectory, 'token-signing.jwk');
  const pepperPath = join(keyDirectory, 'pepper');
  const [keyBytes, pepper] = await Promise.all([
    readOrCreateKeyFile(keyPath, makeSigningKeyFile, randomness, logger),
    readOrCreateKeyFile(
      pepperPath,
      () => Promise.resolve(randomness.bytes(PEPPER_BYTES)),
      randomness,
      logger,
    ),
  ]);
  if (pepper.length !== PEPPER_BYTES) {
    throw identityErrors.create('IDENTITY_KEY_UNREADABLE', {
      path: pepperPath,
      reason: `it has ${pepper.length} bytes instead of ${PEPPER_BYTES}`,
    });
  }
  const tokens = new TokenAuthority(await parseSigningKey(keyBytes, keyPath), clock, randomness);
  const credentials = new Credentials(store, logger);
  const identity = new StoredIdentity(options, pepper, tokens, credentials);
  try {
    for (const credential of (await credentials.current()).values()) {
      if (credential.pepperId === pepperId(pepper)) continue;
      logger.error(
        { name: credential.name },
        'this password was stored under another pepper and cannot be checked: restore the key directory, or start once with --new-password',
      );
    }
  } catch (error) {
    credentials.close();
    throw error;
  }
  return identity;
}

class StoredIdentity implements ClosableIdentity {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #pepper: Buffer;
  readonly #tokens: TokenAuthority;
  readonly #credentials: Credentials;
  readonly #verified = new VerificationCache(MAX_CACHED_TOKENS);

  constructor(options: IdentityOptions, pepper: Buffer, tokens: TokenAuthority, credentials: Credentials) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#randomness = options.randomness;
    this.#pepper = pepper;
    this.#tokens = tokens;
    this.#credentials = credentials;
  }

  async ensureAdministrator(): Promise<Credential | null> {
    if ((await this.#credentials.current()).has(ADMINISTRATOR)) return null;
    const { credential, row } = this.#newAdministrator();
    const made = await this.#change(async (transaction) => {
      const inserted = await insertAdministrator(transaction, row);
      if (inserted) await this.#recordChange(transaction, 'credential.create');
      return inserted;
    });
    return made ? credential : null;
  }

  async resetAdministrator(): Promise<Credential> {
    const { credential, row } = this.#newAdministrator();
    await this.#change(async (transaction) => {
      await replaceAdministrator(transaction, row);
      await this.#recordChange(transaction, 'credential.replace');
    });
    return credential;
  }

  async checkPassword(username: string, password: string): Promise<Access | undefined> {
    const stored = (await this.#credentials.current()).get(username);
    if (!passwordMatches(this.#pepper, username, password, stored?.passwordHmac) || !stored) return undefined;
    return {
      subject: { name: stored.name, kind: stored.kind },
      grants: null,
      expiresAt: this.#clock.now() + REFRESH_TOKEN_SECONDS * 1000,
      generation: stored.generation,
    };
  }

  async checkAuthorization(header: string | undefined, service: string): Promise<Access | undefined> {
    const parsed = header === undefined ? undefined : parseAuthorization(header);
    if (!parsed) return undefined;
    if (parsed.scheme === 'bearer') return this.#checkToken(parsed.token, service, ['access']);
    if (parsed.username === TOKEN_USERNAME) {
      return this.#checkToken(parsed.password, service, ['refresh', 'access']);
    }
    return this.checkPassword(parsed.username, parsed.password);
  }

  checkRefreshToken(token: string, service: string): Promise<Access | undefined> {
    return this.#checkToken(token, service, ['refresh']);
  }

  async issueToken(access: Access, service: string, requested: readonly AccessGrant[]): Promise<IssuedToken> {
    const grants = intersectGrants(access, requested);
    const lifetimeSeconds = this.#lifetime(access, ACCESS_TOKEN_SECONDS);
    const { subject, generation } = access;
    const content = { subject, generation, grants, use: 'access', service, lifetimeSeconds } as const;
    const { token, issuedAt } = await this.#tokens.sign(content);
    return { token, expiresInSeconds: lifetimeSeconds, issuedAt, grants };
  }

  async issueRefreshToken(access: Access, service: string): Promise<string> {
    const lifetimeSeconds = this.#lifetime(access, REFRESH_TOKEN_SECONDS);
    const { subject, generation, grants } = access;
    const signed = await this.#tokens.sign({
      subject,
      generation,
      grants,
      use: 'refresh',
      service,
      lifetimeSeconds,
    });
    return signed.token;
  }

  async issueSystemToken(
    name: string,
    grants: readonly AccessGrant[],
    service: string,
    lifetimeSeconds: number,
  ): Promise<string> {
    const refuse = (reason: string) =>
      identityErrors.create('IDENTITY_SYSTEM_TOKEN_INVALID', { name, reason });
    if (!/^system:[a-z][a-z0-9-]{0,63}$/.test(name)) throw refuse('the name must look like "system:scanner"');
    if (grants.length > MAX_GRANTS) throw refuse(`more than ${MAX_GRANTS} grants`);
    if (
      !Number.isInteger(lifetimeSeconds) ||
      lifetimeSeconds < 1 ||
      lifetimeSeconds > REFRESH_TOKEN_SECONDS
    ) {
      throw refuse(`the lifetime must be 1 to ${REFRESH_TOKEN_SECONDS} seconds`);
    }
    const subject = { name, kind: 'system' } as const;
    const signed = await this.#tokens.sign({
      subject,
      generation: 0,
      grants,
      use: 'access',
      service,
      lifetimeSeconds,
    });
    return signed.token;
  }

  close(): void {
    this.#credentials.close();
    this.#verified.clear();
  }

  async #checkToken(token: string, service: string, uses: readonly TokenUse[]): Promise<Access | undefined> {
    const verified = await this.#verify(token);
    if (!verified || verified.service !== service || !uses.includes(verified.use)) return undefined;
    const { access } = verified;
    if (verified.use === 'refresh' && access.expiresAt - this.#clock.now() < REFRESH_RESERVE_MS)
      return undefined;
    if (access.subject.kind === 'system') return access;
    const credential = (await this.#credentials.current()).get(access.subject.name);
    return credential?.generation === access.generation ? access : undefined;
  }

  async #verify(token: string): Promise<VerifiedToken | undefined> {
    const key = this.#verified.key(token);
    const known = this.#verified.get(key, this.#clock.now());
    if (known) return known;
    const verified = await this.#tokens.verify(token);
    if (verified) this.#verified.set(key, verified);
    return verified;
  }

  /** Whole seconds, so that nothing outlives the access it was derived from. */
  #lifetime(access: Access, longest: number): number {
    const now = Math.floor(this.#clock.now() / 1000);
    return Math.max(0, Math.min(longest, Math.floor(access.expiresAt / 1000) - now));
  }

  #newAdministrator(): { readonly credential: Credential; readonly row: NewCredential } {
    const password = makePassword(this.#randomness);
    return {
      credential: { username: ADMINISTRATOR, password },
      row: {
        name: ADMINISTRATOR,
        passwordHmac: passwordHmac(this.#pepper, ADMINISTRATOR, password),
        pepperId: pepperId(this.#pepper),
        at: new Date(this.#clock.now()),
      },
    };
  }

  /** Whoever can start the server on its data is not known by name. */
  #recordChange(transaction: DatabaseTransaction, action: string): Promise<void> {
    return this.#store.audit.record(transaction, {
      action,
      actor: 'system:start',
      target: ADMINISTRATOR,
      result: 'success',
      address: null,
    });
  }

  /** Changes credentials and tells every process of it. */
  async #change<T>(change: (transaction: DatabaseTransaction) => Promise<T>): Promise<T> {
    const keys = [`${CREDENTIAL_KEY_PREFIX}${ADMINISTRATOR}`];
    const result = await withTransaction(this.#store.db, async (transaction) => {
      const changed = await change(transaction);
      await this.#store.invalidations.record(transaction, keys);
      return changed;
    });
    this.#store.invalidations.apply(keys);
    return result;
  }
}
