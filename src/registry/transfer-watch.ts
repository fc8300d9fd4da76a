// Ends transfers that move too slowly to be honest (slow loris), without limiting how long an honest one may take.

/** One transfer being watched. */
export interface WatchedTransfer {
  /** Bytes moved so far. */
  readonly moved: () => number;
  /** Ends it. */
  readonly stop: () => void;
}

interface Watched extends WatchedTransfer {
  before: number;
  young: boolean;
}

/** Looks at all transfers once a window; a transfer must move `minBytes` in each whole window. */
export class TransferWatch {
  readonly #transfers = new Set<Watched>();
  readonly #minBytes: number;
  readonly #timer: NodeJS.Timeout;
  #stopped = 0;

  constructor(windowMs: number, minBytes: number) {
    this.#minBytes = minBytes;
    this.#timer = setInterval(() => this.inspect(), windowMs);
    this.#timer.unref();
  }

  /** Transfers under way. */
  get active(): number {
    return this.#transfers.size;
  }

  /** Transfers ended for being too slow. */
  get stopped(): number {
    return this.#stopped;
  }

  /** Starts watching; call the result when the transfer has ended. */
  add(transfer: WatchedTransfer): () => void {
    const watched: Watched = { ...transfer, before: transfer.moved(), young: true };
    this.#transfers.add(watched);
    return () => this.#transfers.delete(watched);
  }

  /** Ends what moved too little since the last look. The timer calls it. */
  inspect(): void {
    for (const transfer of this.#transfers) {
      const now = transfer.moved();
      // A transfer that began within this window has not had a whole one yet.
      if (!transfer.young && now - transfer.before < this.#minBytes) {
        this.#stopped++;
        this.#transfers.delete(transfer);
        transfer.stop();
        continue;
      }
      transfer.young = false;
      transfer.before = now;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#transfers.clear();
  }
}
