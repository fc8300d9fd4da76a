// Time and randomness as parameters, so that tests are exact.
import { randomBytes, randomUUID } from 'node:crypto';

/** Where the current time comes from. Production uses {@link systemClock}. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Where random bytes and identifiers come from. */
export interface Randomness {
  bytes(count: number): Buffer;
  uuid(): string;
}

export const systemRandomness: Randomness = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
};
