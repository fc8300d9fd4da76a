// Counts pulls in memory and hands them to the journal about once a second: no write per pull (design.md decision 2a).
import { describeError } from '../core/index.ts';
import type { Clock, Logger } from '../core/index.ts';
import type { DatabaseTransaction, Journal, Store } from '../store/index.ts';
import { recordPulls } from './store-pulls.ts';
import type { PullCount } from './store-pulls.ts';

export const PULL_RECORD_KIND = 'registry.pull';

/** Different pulls remembered between two flushes; more are flushed early. */
const MAX_PENDING = 20_000;

interface Pending {
  readonly actor: string;
  readonly address: string;
  readonly repository: string;
  readonly digest: string;
  count: number;
  lastAt: number;
}

/** Adds up pulls of one manifest by one subject from one address. */
export class PullRecorder {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #pending = new Map<string, Pending>();
  #total = 0;

  constructor(journal: Journal, clock: Clock, logger: Logger, flushMs: number) {
    this.#journal = journal;
    this.#clock = clock;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.flush(), flushMs);
    this.#timer.unref();
  }

  /** Pulls counted since the start. */
  get total(): number {
    return this.#total;
  }

  record(actor: string, address: string, repository: string, digest: string): void {
    this.#total++;
    const key = `${actor}\n${address}\n${repository}\n${digest}`;
    const known = this.#pending.get(key);
    const now = this.#clock.now();
    if (known !== undefined) {
      known.count++;
      known.lastAt = now;
      return;
    }
    this.#pending.set(key, { actor, address, repository, digest, count: 1, lastAt: now });
    if (this.#pending.size >= MAX_PENDING) void this.flush();
  }

  /** Hands what was counted to the journal; resolves when it is durable. Never rejects. */
  async flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const pulls = this.#pending;
    this.#pending = new Map();
    try {
      await Promise.all(
        Array.from(pulls.values(), (pull) => this.#journal.append(PULL_RECORD_KIND, { ...pull })),
      );
    } catch (error) {
      this.#logger.error(
        { err: error, lost: pulls.size },
        `pulls could not be recorded: ${describeError(error)}`,
      );
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Registers the importer that turns journal records into counts and audit records. */
export function consumePulls(store: Store): void {
  store.journal.consume(PULL_RECORD_KIND, (records, transaction) => importPulls(store, records, transaction));
}

async function importPulls(
  store: Store,
  records: readonly Readonly<Record<string, unknown>>[],
  transaction: DatabaseTransaction,
): Promise<void> {
  const pulls = records.flatMap((record) => readRecord(record) ?? []);
  await recordPulls(transaction, pulls);
  for (const pull of pulls) {
    await store.audit.record(transaction, {
      action: 'manifest.pull',
      actor: pull.actor,
      target: `${pull.repository}@${pull.digest}`,
      result: 'success',
      address: pull.address,
      detail: { count: pull.count, lastAt: new Date(pull.lastAt).toISOString() },
    });
  }
}

/** The journal file may have been written by another version: what does not read as a pull is left out. */
function readRecord(record: Readonly<Record<string, unknown>>): PullCount | undefined {
  const { actor, address, repository, digest, count, lastAt } = record;
  if (
    typeof actor !== 'string' ||
    typeof address !== 'string' ||
    typeof repository !== 'string' ||
    typeof digest !== 'string' ||
    typeof count !== 'number' ||
    typeof lastAt !== 'number' ||
    !Number.isFinite(lastAt)
  ) {
    return undefined;
  }
  return { actor, address, repository, digest, count, lastAt };
}
