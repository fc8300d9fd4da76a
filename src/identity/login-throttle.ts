// Slows down whoever keeps failing to log in: a token bucket per network address.
import { isIPv6 } from 'node:net';
import type { Clock } from '../core/index.ts';

export interface LoginThrottleOptions {
  /** Failures allowed at once. Default 20. */
  readonly burst?: number;
  /** Seconds until one more failure is allowed. Default 3. */
  readonly refillSeconds?: number;
  /** Most addresses remembered. Default 10,000. */
  readonly maxKeys?: number;
}

interface Bucket {
  tokens: number;
  updatedAt: number;
}

/**
 * Ask `retryAfterSeconds` before a check, tell `failed` after a wrong one. Only failures cost, so that a client
 * with the right credential is never slowed by its own traffic.
 */
export class LoginThrottle {
  readonly #buckets = new Map<string, Bucket>();
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #maxKeys: number;

  constructor(clock: Clock, options: LoginThrottleOptions = {}) {
    this.#clock = clock;
    this.#burst = options.burst ?? 20;
    this.#refillMs = (options.refillSeconds ?? 3) * 1000;
    this.#maxKeys = options.maxKeys ?? 10_000;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Whole seconds until this address may try again; 0 when it may now. */
  retryAfterSeconds(address: string): number {
    const bucket = this.#buckets.get(throttleKey(address));
    if (!bucket) return 0;
    const tokens = this.#tokens(bucket);
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - tokens) * this.#refillMs) / 1000));
  }

  /** Counts a failed login. */
  failed(address: string): void {
    const key = throttleKey(address);
    const bucket = this.#buckets.get(key);
    const tokens = bucket ? this.#tokens(bucket) : this.#burst;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: Math.max(0, tokens - 1), updatedAt: this.#clock.now() });
    if (this.#buckets.size <= this.#maxKeys) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      break;
    }
  }

  #tokens(bucket: Bucket): number {
    const elapsed = Math.max(0, this.#clock.now() - bucket.updatedAt);
    return Math.min(this.#burst, bucket.tokens + elapsed / this.#refillMs);
  }
}

/** One bucket per IPv4 address and per IPv6 /64: whoever has one IPv6 address has the whole /64. */
export function throttleKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const plain = address.replace(/%.*$/, '').toLowerCase();
  if (!isIPv6(plain)) return address.slice(0, 64);
  const [head = '', tail] = plain.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
