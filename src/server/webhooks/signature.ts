// The `Breakwater-Signature` header of webhook deliveries: HMAC-SHA-256 over time and body (RFC 2104).
import { createHmac } from 'node:crypto';
import type { Randomness } from '../../core/index.ts';

/** Name of the header, in the form HTTP/1.1 shows it. */
export const SIGNATURE_HEADER = 'Breakwater-Signature';

/**
 * `t=<unix seconds>,v1=<hex>`, the HMAC being over `<t>.<body>`. A receiver recomputes it, compares in constant
 * time, and refuses a `t` that is more than a few minutes old (a replay).
 */
export function signBody(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const code = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${code}`;
}

/** A new secret, made by the machine so that it is never a weak one: 256 bits, `whsec_…`. */
export function makeSecret(randomness: Randomness): string {
  return `whsec_${randomness.bytes(32).toString('base64url')}`;
}
