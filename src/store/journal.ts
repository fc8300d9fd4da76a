// The journal: records taken off hot paths by group commit, imported into SQL exactly once (design.md decision 2a).
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, MiB, type Logger, type Randomness } from '../core/index.ts';
import { acquireLock, type HeldLock } from './embedded/lock.ts';
import { createFolder } from './folder-sync.ts';
import type { JournalRecord } from './journal-frame.ts';
import { JournalSource } from './journal-import.ts';
import { JournalWriter } from './journal-writer.ts';
import type { Database, Journal, JournalImporter } from './types.ts';

const FOLDER_NAME = /^[0-9a-f]{32}$/;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
const ADOPTION_INTERVAL_MS = 60_000;

export interface JournalOptions {
  /**
   * Holds one folder per process. Created when missing. Processes in different containers or machines must not share
   * it: whether a folder's process still lives is judged by its pid.
   */
  readonly directory: string;
  readonly db: Database;
  readonly logger: Logger;
  readonly randomness: Randomness;
  /** Least time between two fdatasyncs; 10 ms unless given. */
  readonly windowMs?: number;
  /** Records are imported this long after they were appended, so that batches grow; 200 ms unless given. */
  readonly importDelayMs?: number;
  /** Size at which a segment file is closed; 8 MiB unless given. */
  readonly segmentBytes?: number;
  /** How long after opening records of a kind wait for its `consume`; then they go to `journal_dead`. 60 s unless given. */
  readonly importerGraceMs?: number;
}

export interface ClosableJournal extends Journal {
  /** Makes everything durable, imports what can be imported now, and closes. What stays is imported at the next start. */
  close(): Promise<void>;
}

/**
 * Opens the journal. Each process writes a folder of its own under a random id, so several processes may share a data
 * directory; folders left by processes that died are imported too. A record that was acknowledged is in exactly one
 * place: its segment, or the database. While the database is away segments grow on disk, not in memory.
 *
 * `append` resolves when the record is durable; while the disk refuses writes it waits and is tried again. It rejects
 * with STORE_JOURNAL_RECORD_TOO_LARGE (128 KiB), STORE_JOURNAL_FULL (16 MiB wait for the disk), STORE_JOURNAL_CLOSED.
 * A caller that awaits is thereby slowed to the speed of the disk; one that does not must handle the rejection.
 */
export async function createJournal(options: JournalOptions): Promise<ClosableJournal> {
  await createFolder(options.directory);
  for (;;) {
    const instance = options.randomness.bytes(16).toString('hex');
    const directory = join(options.directory, instance);
    await createFolder(directory);
    const claim = await acquireLock({ directory, name: 'owner', socket: null, waitMs: 0 });
    // Another process may take a folder that nobody has claimed yet for a left one.
    if (claim.held) return new FileJournal(options, instance, directory, claim.lock);
  }
}

class FileJournal implements ClosableJournal {
  readonly #options: JournalOptions;
  readonly #writer: JournalWriter;
  readonly #own: JournalSource;
  readonly #lock: HeldLock;
  readonly #left = new Map<JournalSource, HeldLock>();
  readonly #importers = new Map<string, JournalImporter>();
  readonly #openedAt = performance.now();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #adoptedAt = Number.NEGATIVE_INFINITY;
  #turn: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;
  #dirty = true;

  constructor(options: JournalOptions, instance: string, directory: string, lock: HeldLock) {
    this.#options = options;
    this.#lock = lock;
    this.#writer = new JournalWriter({
      directory,
      logger: options.logger,
      windowMs: options.windowMs ?? 10,
      segmentBytes: options.segmentBytes ?? 8 * MiB,
      onDurable: () => {
        this.#dirty = true;
        this.#wake();
      },
    });
    this.#own = this.#source(instance, directory, () => this.#writer.durable);
    this.#loop = this.#run();
  }

  append(kind: string, record: JournalRecord): Promise<void> {
    return this.#writer.append(kind, record);
  }

  consume(kind: string, importer: JournalImporter): void {
    this.#importers.set(kind, importer);
    this.#dirty = true;
    this.#wake();
  }

  async drain(): Promise<void> {
    await this.#writer.flush();
    await this.#pass();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#loop;
    await this.#writer.close();
    try {
      const finished = await this.#pass();
      if (finished) await this.#finish(this.#own, this.#lock);
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        `journal records stay on disk until the next start: ${describeError(error)}`,
      );
    } finally {
      this.#lock.release();
      for (const lock of this.#left.values()) lock.release();
    }
  }

  async #run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.#stop.signal.aborted) {
      await this.#untilDirty();
      await this.#pause(this.#options.importDelayMs ?? 200);
      if (this.#stop.signal.aborted) return;
      this.#dirty = false;
      try {
        // Records that wait for an importer are looked at again when one is registered, or after the grace time.
        if (!(await this.#pass())) this.#dirty = true;
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        this.#options.logger.warn(
          { err: error },
          `journal import failed, trying again: ${describeError(error)}`,
        );
        this.#dirty = true;
        await this.#pause(retryMs);
        retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
      }
    }
  }

  /** Waits for something to import, at most until folders of dead processes are looked for again. */
  async #untilDirty(): Promise<void> {
    if (this.#dirty || this.#stop.signal.aborted) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ADOPTION_INTERVAL_MS);
      timer.unref();
    });
    clearTimeout(timer);
    this.#wake = () => undefined;
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
  }

  /** Imports everything that can be imported now, one pass at a time. False when records wait for an importer. */
  #pass(): Promise<boolean> {
    const pass = this.#turn.then(() => this.#importAll());
    this.#turn = pass.catch(() => undefined);
    return pass;
  }

  async #importAll(): Promise<boolean> {
    await this.#adopt();
    let finished = true;
    for (const [source, lock] of this.#left) {
      if (await exhaust(source)) {
        await this.#finish(source, lock);
        this.#left.delete(source);
      } else {
        finished = false;
      }
    }
    return (await exhaust(this.#own)) && finished;
  }

  async #finish(source: JournalSource, lock: HeldLock): Promise<void> {
    lock.release();
    await source.removeAll();
  }

  /** Takes over folders of processes that died. */
  async #adopt(): Promise<void> {
    if (performance.now() - this.#adoptedAt < ADOPTION_INTERVAL_MS) return;
    this.#adoptedAt = performance.now();
    const known = new Set([this.#own, ...this.#left.keys()].map((source) => source.instance));
    for (const instance of await readdir(this.#options.directory)) {
      if (!FOLDER_NAME.test(instance) || known.has(instance)) continue;
      const directory = join(this.#options.directory, instance);
      const claim = await acquireLock({ directory, name: 'owner', socket: null, waitMs: 0 });
      if (claim.held) this.#left.set(this.#source(instance, directory), claim.lock);
    }
  }

  #source(
    instance: string,
    directory: string,
    durable?: () => { segment: number; size: number },
  ): JournalSource {
    return new JournalSource({
      instance,
      directory,
      ...(durable === undefined ? {} : { durable }),
      db: this.#options.db,
      importers: this.#importers,
      waitForImporters: () => performance.now() - this.#openedAt < (this.#options.importerGraceMs ?? 60_000),
      logger: this.#options.logger,
    });
  }
}

/** Imports a source as far as possible. False when it is held by a record without importer. */
async function exhaust(source: JournalSource): Promise<boolean> {
  for (;;) {
    const step = await source.step();
    if (step !== 'imported') return step === 'done';
  }
}
