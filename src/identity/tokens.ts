// Registry tokens: JWT (RFC 7519) signed with ES256, claims as in the Distribution token specification.
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock, Randomness } from '../core/index.ts';
import type { SigningKey } from './signing-key.ts';
import { MAX_GRANTS } from './types.ts';
import type { Access, AccessGrant, Subject } from './types.ts';

export const ACCESS_TOKEN_SECONDS = 75 * 60;
export const REFRESH_TOKEN_SECONDS = 3 * 60 * 60;

const ISSUER = 'breakwater';
/** How far the clocks of replicas may differ: a new token is valid from this long ago. */
const CLOCK_SKEW_SECONDS = 10;
const MAX_TOKEN_CHARACTERS = 12 * 1024;

/** What a token is for; one kind is never taken as the other. */
export type TokenUse = 'access' | 'refresh';

export interface VerifiedToken {
  readonly access: Access;
  readonly use: TokenUse;
  /** The audience. */
  readonly service: string;
}

export interface TokenContent {
  readonly subject: Subject;
  readonly generation: number;
  readonly grants: readonly AccessGrant[] | null;
  readonly use: TokenUse;
  readonly service: string;
  readonly lifetimeSeconds: number;
}

const claimsSchema = z.object({
  sub: z.string().min(1).max(256),
  aud: z.string(),
  exp: z.number().int(),
  iat: z.number().int(),
  nbf: z.number().int(),
  jti: z.string(),
  use: z.enum(['access', 'refresh']),
  kind: z.enum(['administrator', 'system']),
  gen: z.number().int().nonnegative(),
  access: z
    .array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) }))
    .max(MAX_GRANTS)
    .nullable(),
});

/** Signs and verifies tokens with one key. Knows nothing of credentials: whoever asks checks the generation. */
export class TokenAuthority {
  readonly #key: SigningKey;
  readonly #clock: Clock;
  readonly #randomness: Randomness;

  constructor(key: SigningKey, clock: Clock, randomness: Randomness) {
    this.#key = key;
    this.#clock = clock;
    this.#randomness = randomness;
  }

  async sign(content: TokenContent): Promise<{ readonly token: string; readonly issuedAt: string }> {
    const now = Math.floor(this.#clock.now() / 1000);
    const token = await new SignJWT({
      use: content.use,
      kind: content.subject.kind,
      gen: content.generation,
      access: content.grants,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: this.#key.kid })
      .setIssuer(ISSUER)
      .setSubject(content.subject.name)
      .setAudience(content.service)
      .setIssuedAt(now)
      .setNotBefore(now - CLOCK_SKEW_SECONDS)
      .setExpirationTime(now + content.lifetimeSeconds)
      .setJti(this.#randomness.uuid())
      .sign(this.#key.privateKey);
    return { token, issuedAt: new Date(now * 1000).toISOString() };
  }

  /**
   * Undefined for anything that is not a token of ours, of this moment. Only ES256 and only our key: keys and
   * algorithms that a token's own header brings along (`jwk`, `jku`, `x5c`, `alg`) are never used.
   */
  async verify(token: string): Promise<VerifiedToken | undefined> {
    if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#key.publicKey, {
        algorithms: ['ES256'],
        issuer: ISSUER,
        typ: 'JWT',
        clockTolerance: 0,
        currentDate: new Date(this.#clock.now()),
      });
      if (protectedHeader.kid !== this.#key.kid) return undefined;
      const claims = claimsSchema.parse(payload);
      return {
        access: {
          subject: { name: claims.sub, kind: claims.kind },
          grants: claims.access,
          expiresAt: claims.exp * 1000,
          generation: claims.gen,
        },
        use: claims.use,
        service: claims.aud,
      };
    } catch {
      // Whatever is wrong with it, it proves nothing.
      return undefined;
    }
  }
}
