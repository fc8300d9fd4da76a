// Shares PGlite's one session between connections: whoever starts a message group or a transaction keeps it to the end.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';

/** A connection as the session sees it. */
export interface SessionClient {
  /** The next complete message group (ending in Sync, Query or Flush), or undefined while there is none. */
  next(): { readonly bytes: Uint8Array; readonly ends: boolean } | undefined;
  /** Takes what the engine answers. The bytes are only valid during the call. */
  answer(bytes: Uint8Array): void;
  readonly closed: boolean;
  /** Called when the connection held a transaction open too long; must close it. */
  expire(): void;
}

const SYNC_MESSAGE = Uint8Array.of(0x53, 0, 0, 0, 4);

/**
 * Runs message groups one after another. `@electric-sql/pglite-socket` schedules single messages, so the statement
 * parsed by one connection can be bound by another; here the session changes hands only outside a transaction and
 * after a Sync (see docs/decisions). A transaction that sends nothing for `idleLimitMs` is rolled back.
 */
export class SessionOwner {
  readonly #pglite: PGlite;
  readonly #idleLimitMs: number;
  readonly #onFatal: (reason: string) => never;
  readonly #waiting = new Set<SessionClient>();
  readonly #tasks: (() => Promise<void>)[] = [];
  #owner: SessionClient | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #pumping = false;

  constructor(pglite: PGlite, idleLimitMs: number, onFatal: (reason: string) => never) {
    this.#pglite = pglite;
    this.#idleLimitMs = idleLimitMs;
    this.#onFatal = onFatal;
  }

  /** True when nobody uses or waits for the session. */
  get idle(): boolean {
    return !this.#pumping && this.#owner === undefined && this.#waiting.size === 0;
  }

  /** Tells that the client has a message group, or has closed. */
  ready(client: SessionClient): void {
    this.#waiting.add(client);
    this.#start();
  }

  /** Runs a task of our own (a checkpoint, the last rollback) when the session is free. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject));
      this.#start();
    });
  }

  #start(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#pump().then(
      () => (this.#pumping = false),
      (error: unknown) => this.#onFatal(`the session failed: ${String(error)}`),
    );
  }

  async #pump(): Promise<void> {
    for (;;) {
      if (this.#owner?.closed) await this.#abandon();
      const task = this.#owner === undefined ? this.#tasks.shift() : undefined;
      if (task !== undefined) {
        await task();
        continue;
      }
      const client = this.#owner ?? this.#shift();
      const group = client?.next();
      if (client === undefined || group === undefined) {
        if (client !== undefined && client === this.#owner) this.#waitFor(client);
        else if (client !== undefined) continue;
        return;
      }
      clearTimeout(this.#idleTimer);
      this.#owner = client;
      await this.#pglite.execProtocolRawStream(group.bytes, {
        syncToFs: false,
        onRawData: (bytes) => client.answer(bytes),
      });
      if (group.ends && !this.#pglite.isInTransaction()) {
        this.#owner = undefined;
        this.#waiting.add(client);
      }
      // Lets sockets be read between groups, so that connections take turns.
      await nextTurn();
    }
  }

  #shift(): SessionClient | undefined {
    const [first] = this.#waiting;
    if (first !== undefined) this.#waiting.delete(first);
    return first;
  }

  #waitFor(owner: SessionClient): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => owner.expire(), this.#idleLimitMs);
    this.#idleTimer.unref();
  }

  /** The owner's connection is gone: ends its group and its transaction. */
  async #abandon(): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#owner = undefined;
    await this.#pglite.execProtocolRawStream(SYNC_MESSAGE, { syncToFs: false, onRawData: () => undefined });
    if (this.#pglite.isInTransaction()) await this.#pglite.exec('rollback');
  }
}
