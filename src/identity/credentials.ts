// Stored credentials held in memory and kept in step with the database, so that a check awaits no SQL (decision 2a).
import { describeError } from '../core/index.ts';
import type { Logger } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { identityErrors } from './errors.ts';
import { readCredentials } from './store.ts';
import type { StoredCredential } from './store.ts';

/** Every invalidation key of this folder starts so. */
export const CREDENTIAL_KEY_PREFIX = 'identity:credential:';

type Snapshot = ReadonlyMap<string, StoredCredential>;

export class Credentials {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #unsubscribe: () => void;
  #snapshot: Snapshot | undefined;
  #loading: Promise<Snapshot> | undefined;
  /** Counts invalidations: a load that began before one must not be kept. */
  #changes = 0;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
    this.#unsubscribe = store.invalidations.subscribe('identity:', () => {
      this.#changes++;
      this.#snapshot = undefined;
      // Load ahead of the next check. A failure is that check's to report, when it tries again.
      this.#load().catch((error: unknown) => {
        this.#logger.warn({ err: error }, `credentials could not be reloaded: ${describeError(error)}`);
      });
    });
  }

  /**
   * All credentials as they are now. Answers from memory unless they have just changed.
   * @throws IDENTITY_STORE_UNAVAILABLE
   */
  current(): Snapshot | Promise<Snapshot> {
    if (this.#snapshot && this.#store.invalidations.current()) return this.#snapshot;
    return this.#load();
  }

  close(): void {
    this.#unsubscribe();
  }

  #load(): Promise<Snapshot> {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(): Promise<Snapshot> {
    for (;;) {
      const changes = this.#changes;
      const rows = await readCredentials(this.#store.db).catch((error: unknown) => {
        throw identityErrors.create('IDENTITY_STORE_UNAVAILABLE', {}, error);
      });
      if (changes !== this.#changes) continue;
      const snapshot = new Map(rows.map((row) => [row.name, row]));
      this.#snapshot = snapshot;
      return snapshot;
    }
  }
}
