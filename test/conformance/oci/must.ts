// One requirement of the OCI distribution specification 1.1.1 and the means of checking it.
import type { Preparation } from './preparation.ts';
import type { RegistryClient } from './client.ts';

/** What a check works with. */
export interface Probe {
  /** Sends the requests under test. */
  readonly client: RegistryClient;
  /** Makes the content that a check needs; its requests are not under test. */
  readonly prepare: Preparation;
  /** A repository name nobody has used yet. */
  repository(): string;
}

/** A requirement that a registry can be tested on. */
export interface Must {
  /** `MUST-nn`, in the order of the specification's text. */
  readonly id: string;
  /** Heading of the specification that the sentence stands under. */
  readonly section: string;
  /** The requirement in short, in our own words. */
  readonly text: string;
  /** Rejects with a {@link NotConformant} when the registry does not meet it. */
  check(probe: Probe): Promise<void>;
}

/** A requirement that no request to a registry can test. */
export interface UntestableMust {
  readonly id: string;
  readonly section: string;
  readonly text: string;
  /** Why it cannot be tested from outside. */
  readonly reason: string;
}

/** The registry does not meet the requirement being checked. */
export class NotConformant extends Error {
  override readonly name = 'NotConformant';
}

/** States what must hold. */
export function expectThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new NotConformant(message);
}
