// The store's own lock: numbered claim files, each created atomically, judged by pid and start time, never by age.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { identify, processState } from './process-identity.ts';

const recordSchema = z.object({
  pid: z.int().positive(),
  startedAt: z.string().nullable(),
  boot: z.string().nullable(),
  namespace: z.string().nullable(),
  /** A Unix socket that the holder listens on; answers where the pid cannot be judged. */
  socket: z.string().nullable(),
  released: z.boolean(),
});

type LockRecord = z.infer<typeof recordSchema>;

export interface HeldLock {
  /** Gives the lock up. Safe to call again. */
  release(): void;
}

export type LockResult =
  | { readonly held: true; readonly lock: HeldLock }
  | { readonly held: false; readonly pid: number };

export interface LockOptions {
  /** Folder of the claim files, outside the database's own folder. Created when missing. */
  readonly directory: string;
  readonly name: string;
  /** Unix socket that this process listens on already, if any. */
  readonly socket: string | null;
  /** How long to wait for a living holder, in milliseconds; 0 answers at once. */
  readonly waitMs: number;
}

/**
 * Takes the lock, or tells who has it.
 *
 * The holder is the highest numbered claim `<name>.<n>`, if its process lives. A successor claims n+1 with `link`,
 * which only one process can do, then looks again whether its claim is the highest. The highest claim is never
 * removed (a release marks it), so a slow process that judged an old claim stale cannot slip in below a new one.
 */
export async function acquireLock(options: LockOptions): Promise<LockResult> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    const top = highestClaim(options);
    const holder = top === 0 ? undefined : readRecord(claimPath(options, top));
    if (holder !== undefined && (await isAlive(holder))) {
      if (performance.now() >= deadline) return { held: false, pid: holder.pid };
      await sleep(50);
      continue;
    }
    const lock = claim(options, top + 1);
    if (lock !== undefined) return { held: true, lock };
  }
}

function claim(options: LockOptions, number: number): HeldLock | undefined {
  const path = claimPath(options, number);
  const record: LockRecord = { ...identify(), socket: options.socket, released: false };
  if (!createWithContent(path, record)) return undefined;
  // Twice: one directory reading may miss a claim that replaces another while it runs.
  if (highestClaim(options) !== number || highestClaim(options) !== number) {
    rmSync(path, { force: true });
    return undefined;
  }
  for (const older of claims(options)) {
    if (older < number) rmSync(claimPath(options, older), { force: true });
  }
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      const temporary = `${path}-${randomUUID()}`;
      writeFileSync(temporary, JSON.stringify({ ...record, released: true }));
      renameSync(temporary, path);
    },
  };
}

/** Creates the file with its whole content at once, so that nobody reads an empty claim. */
function createWithContent(path: string, record: LockRecord): boolean {
  const temporary = `${path}-${randomUUID()}`;
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function isAlive(record: LockRecord): Promise<boolean> {
  if (record.released) return false;
  const state = processState(record);
  if (state !== 'elsewhere') return state === 'running';
  return record.socket !== null && (await answers(record.socket));
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (alive: boolean) => (): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(2_000, done(true));
    socket.on('connect', done(true));
    socket.on('error', done(false));
  });
}

function claimPath(options: LockOptions, number: number): string {
  return join(options.directory, `${options.name}.${number}`);
}

function claims(options: LockOptions): number[] {
  const pattern = /^([a-z]+)\.(\d{1,15})$/;
  return readdirSync(options.directory)
    .map((file) => pattern.exec(file))
    .filter((match) => match?.[1] === options.name)
    .map((match) => Number(match?.[2]));
}

function highestClaim(options: LockOptions): number {
  return Math.max(0, ...claims(options));
}

/** A claim that vanished or cannot be read as one names no living process. */
function readRecord(path: string): LockRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
