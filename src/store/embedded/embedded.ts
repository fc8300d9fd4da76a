// Opens the embedded database of a data directory: lock, first initialisation, supervised process.
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { Logger } from '../../core/index.ts';
import { storeErrors } from '../errors.ts';
import { acquireLock } from './lock.ts';
import { DATABASE_SOCKET, prepareSocketDirectory } from './socket-directory.ts';
import { Supervisor } from './supervisor.ts';

/** How long a successor waits for the database process of a killed server, in milliseconds. */
const LOCK_WAIT_MS = 30_000;
const PRESENCE_PREFIX = 's-';

export interface EmbeddedOptions {
  readonly dataDirectory: string;
  readonly logger: Logger;
  /** An initialised folder to copy instead of initialising; for tests. */
  readonly template?: string;
  /** Called after each restart of the database process. */
  readonly onRestart?: () => void;
}

export interface Embedded {
  /** Folder of the socket, as `pg` takes it for `host`. */
  readonly socketDirectory: string;
  pid(): number | undefined;
  /** Resolves when the database runs (at once, unless it is being restarted), or after `limitMs`. */
  running(limitMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the embedded database. Rejects with STORE_LOCKED when another server has the directory,
 * STORE_LOCK_TIMEOUT, STORE_NOT_DURABLE or STORE_EMBEDDED_FAILED when it cannot run.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { logger } = options;
  // `pg` takes a host for a socket's folder only when its path is absolute.
  const dataDirectory = resolve(options.dataDirectory);
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const lockDirectory = join(dataDirectory, 'store.lock');
  const socketDirectory = prepareSocketDirectory(dataDirectory);
  const presence = await listen(join(socketDirectory, `${PRESENCE_PREFIX}${randomBytes(4).toString('hex')}`));
  const taken = await acquireLock({
    directory: lockDirectory,
    name: 'server',
    socket: presence.path,
    waitMs: 0,
  });
  if (!taken.held) {
    presence.close();
    throw storeErrors.create('STORE_LOCKED', { directory: dataDirectory, pid: taken.pid });
  }
  const leave = (): void => {
    taken.lock.release();
    presence.close();
  };
  try {
    removeOldPresences(socketDirectory, presence.path);
    const supervisor = new Supervisor(
      {
        databaseDirectory: join(dataDirectory, 'database'),
        lockDirectory,
        socketPath: join(socketDirectory, DATABASE_SOCKET),
        lockWaitMs: LOCK_WAIT_MS,
      },
      logger,
      options.onRestart ?? (() => undefined),
    );
    await prepareDatabase(supervisor, join(dataDirectory, 'database'), options.template);
    await supervisor.start();
    return {
      socketDirectory,
      pid: () => supervisor.pid,
      running: (limitMs) => supervisor.running(limitMs),
      close: async () => {
        await supervisor.close();
        leave();
      },
    };
  } catch (error) {
    leave();
    throw error;
  }
}

async function prepareDatabase(
  supervisor: Supervisor,
  directory: string,
  template: string | undefined,
): Promise<void> {
  if (existsSync(directory)) return;
  if (template === undefined) return supervisor.initialise();
  const aside = `${directory}.new-copy`;
  rmSync(aside, { recursive: true, force: true });
  cpSync(template, aside, { recursive: true });
  chmodSync(aside, 0o700);
  renameSync(aside, directory);
}

interface Presence {
  readonly path: string;
  close(): void;
}

/** A socket that answers while this process lives: the one sign of life seen from another container. */
function listen(path: string): Promise<Presence> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  const close = (): void => {
    server.close();
    rmSync(path, { force: true });
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve({ path, close }));
  });
}

/** Under the lock: sockets of servers that were killed. */
function removeOldPresences(directory: string, own: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name.startsWith(PRESENCE_PREFIX) && path !== own) rmSync(path, { force: true });
  }
}
