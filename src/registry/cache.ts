// A bounded cache whose fills cannot bring back what was invalidated while they ran (design.md decision 2a).

export interface CacheOptions<Value> {
  /** Upper bound of the summed weights, in bytes. */
  readonly maxBytes: number;
  /** Bytes a value counts for; what it takes beside its key is added. */
  readonly weigh: (value: Value) => number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
}

interface Flight<Value> {
  readonly promise: Promise<Value | undefined>;
}

const OVERHEAD_BYTES = 160;

/**
 * Least-recently-used cache with one fill per key at a time. `invalidate` also disowns a running fill of the key:
 * it answers those who already wait for it, but is not kept. Absent values are not kept.
 */
export class CoherentCache<Value> {
  readonly #options: CacheOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #flights = new Map<string, Flight<Value>>();
  #bytes = 0;
  #invalidations = 0;

  constructor(options: CacheOptions<Value>) {
    this.#options = options;
  }

  /** Summed weight of what is held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value if it is held; makes it the most recently used. */
  peek(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** The value, filled by `load` if it is not held. */
  get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const held = this.peek(key);
    if (held !== undefined) return Promise.resolve(held);
    const running = this.#flights.get(key);
    if (running !== undefined) return running.promise;
    const flight: Flight<Value> = {
      promise: load().then(
        (value) => {
          if (this.#flights.get(key) === flight) {
            this.#flights.delete(key);
            if (value !== undefined) this.#keep(key, value);
          }
          return value;
        },
        (error: unknown) => {
          if (this.#flights.get(key) === flight) this.#flights.delete(key);
          throw error;
        },
      ),
    };
    this.#flights.set(key, flight);
    return flight.promise;
  }

  /** A mark for {@link seed}: values read after it may be kept as long as nothing was invalidated since. */
  mark(): number {
    return this.#invalidations;
  }

  /** Keeps a value known otherwise than by a fill; does nothing if anything was invalidated since `mark` or it is held. */
  seed(mark: number, key: string, value: Value): void {
    if (mark === this.#invalidations && !this.#entries.has(key)) this.#keep(key, value);
  }

  invalidate(key: string): void {
    this.#invalidations++;
    this.#flights.delete(key);
    this.#drop(key);
  }

  invalidateAll(): void {
    this.#invalidations++;
    this.#flights.clear();
    this.#entries.clear();
    this.#bytes = 0;
  }

  #keep(key: string, value: Value): void {
    const bytes = this.#options.weigh(value) + key.length * 2 + OVERHEAD_BYTES;
    // A value that would push out much of the cache is not worth keeping.
    if (bytes > this.#options.maxBytes / 4) return;
    this.#drop(key);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#options.maxBytes) {
      const oldest = this.#entries.keys().next();
      if (oldest.done === true) break;
      this.#drop(oldest.value);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
