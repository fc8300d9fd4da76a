// Upload sessions as this process holds them: one request at a time, open writers, running digests.
import { describeError } from '../core/index.ts';
import type { Clock, Logger } from '../core/index.ts';
import { DigestHasher } from '../oci/index.ts';
import type { BlobWriter, Store } from '../store/index.ts';
import { DistributionError, uploadTaken } from './distribution-errors.ts';
import { advanceUpload, findUpload } from './store-uploads.ts';
import type { UploadRow } from './store-uploads.ts';

/** How long a request waits for an earlier one on the same session before it has it broken off. */
const LOCK_WAIT_MS = 2_000;
const MAX_TAKEOVERS = 5;
/** A writer that rests this long is closed; its session goes on from what is durable. */
const REST_MS = 5 * 60_000;

interface OpenUpload {
  readonly writer: BlobWriter;
  /** Null when the digest of what came before this process is unknown: the bytes are then read again at the end. */
  readonly hasher: DigestHasher | null;
  revision: number;
  usedAt: number;
}

interface Lock {
  readonly released: Promise<void>;
  readonly breakOff: () => void;
}

/** How a request wants to have a session for itself. */
export interface UploadClaim {
  /** Ends this request's own work on the session; called when a later request takes over. */
  readonly breakOff: () => void;
  /** May this request break off an earlier one? */
  readonly mayTakeOver: () => Promise<boolean>;
}

/** The process itself, closing what rests. */
const HOUSEKEEPING: UploadClaim = {
  breakOff: () => undefined,
  mayTakeOver: () => Promise.resolve(false),
};

/** A session that one request has for itself. */
export interface HeldUpload {
  row: UploadRow;
  readonly writer: BlobWriter;
  readonly hasher: DigestHasher | null;
}

/** The sessions of this process. Other processes see the rows only; `revision` keeps two from going on with one. */
export class UploadSessions {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #open = new Map<string, OpenUpload>();
  readonly #locks = new Map<string, Lock>();
  readonly #objects = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: Store, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.#closeResting(), 60_000);
    this.#timer.unref();
  }

  /** Objects being written by this process; garbage collection must leave them. */
  get objectsInUse(): ReadonlySet<string> {
    return this.#objects;
  }

  /** Sessions a request is working on. */
  get busy(): number {
    return this.#locks.size;
  }

  /** Keeps an object that has no row yet from being collected; call the result when it has one or is gone. */
  protect(objectId: string): () => void {
    this.#objects.add(objectId);
    return () => this.#objects.delete(objectId);
  }

  /**
   * Runs `work` while nobody else in this process works on the session. An earlier request may be a connection that is
   * dead without anybody knowing, so it is broken off when it does not end soon and `mayTakeOver` allows it. Ends the
   * request with 409 when the earlier one goes on.
   */
  async exclusively<T>(id: string, claim: UploadClaim, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const holder = this.#locks.get(id);
      if (holder === undefined) break;
      if (await settlesWithin(holder.released, LOCK_WAIT_MS)) continue;
      if (attempt > MAX_TAKEOVERS || !(await claim.mayTakeOver())) {
        throw new DistributionError(409, {
          code: 'BLOB_UPLOAD_INVALID',
          message: 'another request is working on this upload',
        });
      }
      holder.breakOff();
    }
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#locks.set(id, { released, breakOff: claim.breakOff });
    try {
      return await work();
    } finally {
      this.#locks.delete(id);
      release();
    }
  }

  /** The row of a session, if it belongs to this repository and subject. */
  async find(id: string, repository: string, owner: string): Promise<UploadRow | undefined> {
    const row = await findUpload(this.#store.db, id);
    return row !== undefined && row.repository === repository && row.owner === owner ? row : undefined;
  }

  /**
   * Opens the object of a session for going on at the row's size. Call within `exclusively`. Where another process had
   * the object, it is told first (by the revision): what it would acknowledge after this is not there any more.
   */
  async hold(found: UploadRow): Promise<HeldUpload> {
    let row = found;
    const known = this.#open.get(row.id);
    if (known !== undefined) {
      if (known.revision === row.revision && known.writer.size === row.size) {
        return { row, writer: known.writer, hasher: known.hasher };
      }
      await this.drop(row.id);
    }
    if (row.objectId !== null) {
      const { objectId, size } = row;
      const at = new Date(this.#clock.now());
      if (!(await advanceUpload(this.#store.db, row, { objectId, size, at }))) throw uploadTaken();
      row = { ...row, revision: row.revision + 1 };
    }
    const writer =
      row.objectId === null
        ? await this.#store.blobs.create()
        : await this.#store.blobs.resume(row.objectId, row.size);
    const hasher = row.size === 0 ? new DigestHasher(row.algorithm) : null;
    this.#objects.add(writer.id);
    this.#open.set(row.id, { writer, hasher, revision: row.revision, usedAt: this.#clock.now() });
    return { row, writer, hasher };
  }

  /** Makes what was written durable and records it in the row. Ends the request with 409 when another process went on. */
  async advance(held: HeldUpload): Promise<void> {
    await held.writer.sync();
    const change = { objectId: held.writer.id, size: held.writer.size, at: new Date(this.#clock.now()) };
    if (!(await advanceUpload(this.#store.db, held.row, change))) {
      await this.drop(held.row.id);
      throw uploadTaken();
    }
    held.row = {
      ...held.row,
      objectId: change.objectId,
      size: change.size,
      revision: held.row.revision + 1,
    };
    const open = this.#open.get(held.row.id);
    if (open !== undefined) {
      open.revision = held.row.revision;
      open.usedAt = this.#clock.now();
    }
  }

  /** Closes the writer; what is not durable is forgotten, the row stays. */
  async drop(id: string): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    try {
      await open.writer.suspend();
    } catch (error) {
      this.#logger.warn({ upload: id, err: error }, `closing an upload failed: ${describeError(error)}`);
    }
    this.#objects.delete(open.writer.id);
  }

  /** Forgets a session whose object has become a blob or was removed. The writer is closed already. */
  forget(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.#objects.delete(open.writer.id);
  }

  /** Closes all writers. Sessions can be resumed from their rows. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const id of this.#open.keys()) await this.drop(id);
  }

  async #closeResting(): Promise<void> {
    const before = this.#clock.now() - REST_MS;
    for (const [id, open] of this.#open) {
      if (open.usedAt < before && !this.#locks.has(id)) {
        await this.exclusively(id, HOUSEKEEPING, () => this.drop(id));
      }
    }
  }
}

function settlesWithin(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    void promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
