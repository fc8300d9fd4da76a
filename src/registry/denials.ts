// Records refused requests in the audit trail, so many per address and minute: a flood must not become a flood of rows.
import type { Clock } from '../core/index.ts';
import { LoginThrottle } from '../identity/index.ts';
import type { AuditTrail } from '../store/index.ts';

const BURST = 10;
const REFILL_SECONDS = 6;

export interface Denial {
  readonly action: 'login.failed' | 'access.denied';
  readonly actor: string;
  readonly target: string;
  readonly address: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Appends through the journal; what exceeds ten at once and ten a minute per address is counted, not written. */
export class DenialRecorder {
  readonly #audit: AuditTrail;
  readonly #budget: LoginThrottle;
  #suppressed = 0;

  constructor(audit: AuditTrail, clock: Clock) {
    this.#audit = audit;
    this.#budget = new LoginThrottle(clock, { burst: BURST, refillSeconds: REFILL_SECONDS });
  }

  /** Denials that were not written. */
  get suppressed(): number {
    return this.#suppressed;
  }

  record(denial: Denial): void {
    if (this.#budget.retryAfterSeconds(denial.address) > 0) {
      this.#suppressed++;
      return;
    }
    this.#budget.failed(denial.address);
    this.#audit.append({ ...denial, result: 'denied' });
  }
}
