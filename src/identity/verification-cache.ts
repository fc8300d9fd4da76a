// Tokens verified lately, by the SHA-256 of their text: a signature is checked once, not on every request.
import { hash } from 'node:crypto';
import type { VerifiedToken } from './tokens.ts';

/** Keeps the verified tokens that were used last; bounded by count. */
export class VerificationCache {
  readonly #entries = new Map<string, VerifiedToken>();
  readonly #limit: number;

  /** @param limit most tokens kept. An entry takes about 1 KiB. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The key under which a token is kept: its hash, so that no token lies about in memory. */
  key(token: string): string {
    return hash('sha256', token, 'base64');
  }

  /** The verified token, unless it is not known or has expired at `now` (milliseconds since the epoch). */
  get(key: string, now: number): VerifiedToken | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (now >= entry.access.expiresAt) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, token: VerifiedToken): void {
    this.#entries.delete(key);
    this.#entries.set(key, token);
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}
