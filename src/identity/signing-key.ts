// The server's ES256 key for its own tokens, kept as a JWK (RFC 7517) named by its thumbprint (RFC 7638).
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey } from 'jose';
import { z } from 'zod';
import { describeError } from '../core/index.ts';
import { identityErrors } from './errors.ts';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const jwkSchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: coordinate,
  y: coordinate,
  d: coordinate,
});

/** A new key, as the bytes of its file. */
export async function makeSigningKeyFile(): Promise<Buffer> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { kty, crv, x, y, d } = await exportJWK(privateKey);
  return Buffer.from(`${JSON.stringify({ kty, crv, x, y, d })}\n`);
}

/**
 * Reads the key from the bytes of its file.
 * @throws IDENTITY_KEY_UNREADABLE
 */
export async function parseSigningKey(bytes: Buffer, path: string): Promise<SigningKey> {
  try {
    const jwk = jwkSchema.parse(JSON.parse(bytes.toString('utf8')));
    const { d: _secret, ...publicJwk } = jwk;
    const [privateKey, publicKey, kid] = await Promise.all([
      importJWK(jwk, 'ES256'),
      importJWK(publicJwk, 'ES256'),
      calculateJwkThumbprint(publicJwk),
    ]);
    if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array) throw new Error('not an EC key');
    return { kid, privateKey, publicKey };
  } catch (error) {
    // The parser's own message may quote the file: only its kind is told.
    const reason = error instanceof z.ZodError ? 'it is not an EC P-256 private key' : safeReason(error);
    throw identityErrors.create('IDENTITY_KEY_UNREADABLE', { path, reason });
  }
}

function safeReason(error: unknown): string {
  return error instanceof SyntaxError ? 'it is not JSON' : describeError(error);
}
