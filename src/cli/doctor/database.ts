// Checks of the database: the embedded one on the file system of the data directory, or the server of DATABASE_URL.
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import {
  BreakwaterError,
  describeError,
  silentLogger,
  systemClock,
  systemRandomness,
} from '../../core/index.ts';
import type { ServerFile } from '../../server/index.ts';
import { openStore } from '../../store/index.ts';
import { type CheckContext, type CheckResult, fail, ok } from './check.ts';
import { existingParent } from './data-directory.ts';

const CONNECT_MS = 5_000;

export async function checkDatabase(
  context: CheckContext,
  server: ServerFile | undefined,
): Promise<CheckResult> {
  const { dataDirectory, databaseUrl } = context;
  if (server !== undefined) return ok('database', 'in use by the running server; its /readyz checks it');
  if (databaseUrl !== undefined) return checkReachable(databaseUrl);
  return checkEmbedded(await existingParent(resolve(dataDirectory)));
}

/**
 * Starts an embedded database in a folder of its own beside the data, so that yours is not touched: it opens, reaches
 * fsync (the store refuses to start otherwise), and answers.
 */
async function checkEmbedded(place: string): Promise<CheckResult> {
  const name = 'database';
  const started = performance.now();
  const folder = await mkdtemp(join(place, '.breakwater-doctor-'));
  try {
    const store = await openStore({
      dataDirectory: folder,
      logger: silentLogger(),
      clock: systemClock,
      randomness: systemRandomness,
    });
    try {
      await store.ping();
    } finally {
      await store.close();
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    return ok(
      name,
      `embedded, starts and reaches fsync here (${seconds} s); serves one server, several need DATABASE_URL`,
    );
  } catch (error) {
    const fix =
      error instanceof BreakwaterError
        ? error.hint
        : 'Look at the message; DATABASE_URL switches to a PostgreSQL server.';
    return fail(name, `the embedded database does not work here: ${describeError(error)}`, fix);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Only the connection: opening the store would migrate a database that others use. */
async function checkReachable(text: string): Promise<CheckResult> {
  const name = 'database';
  if (!URL.canParse(text))
    return fail(name, 'DATABASE_URL is not an address', 'Use postgres://user:password@host:5432/database');
  const url = new URL(text);
  const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 5432) };
  try {
    await tryConnect(place);
    return ok(name, `PostgreSQL at ${url.host} takes connections`);
  } catch (error) {
    return fail(
      name,
      `PostgreSQL at ${url.host} cannot be reached: ${describeError(error)}`,
      'Start it, and check host and port in DATABASE_URL.',
    );
  }
}

function tryConnect(place: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolvePromise, reject) => {
    const socket = connect({ ...place, timeout: CONNECT_MS });
    socket.on('connect', () => {
      socket.destroy();
      resolvePromise();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer within 5 seconds')));
    socket.on('error', reject);
  });
}
