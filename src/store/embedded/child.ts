// The database process: holds the lock, runs PGlite behind the private socket, leaves with the server that started it.
import { rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { describeError } from '../../core/index.ts';
import { Connection } from './connection.ts';
import { commitsReachDisk, openEngine } from './engine.ts';
import { initialiseDatabase } from './initialisation.ts';
import { acquireLock } from './lock.ts';
import { startMaintenance } from './maintenance.ts';
import { closeMessage, ordersSchema, type ChildOrders, type ChildReport } from './messages.ts';
import { SessionOwner } from './session-owner.ts';

/** Longest silence of a connection inside a transaction: with one session everybody waits for it. */
const IDLE_IN_TRANSACTION_MS = 15_000;
const PARENT_CHECK_MS = 500;
const EXIT_FATAL = 70;

function report(message: ChildReport): void {
  if (process.connected) process.send?.(message);
}

/** The channel keeps the process alive; closing it sends what is waiting first. */
function reportAndLeave(message: ChildReport): void {
  report(message);
  process.disconnect?.();
}

function fatal(reason: string): never {
  // Standard error directly: the IPC channel may not be flushed before the exit.
  writeSync(2, `${reason}\n`);
  process.exit(EXIT_FATAL);
}

async function main(): Promise<void> {
  const orders = ordersSchema.parse(JSON.parse(process.argv[2] ?? ''));
  // The server decides when to stop; a Ctrl-C reaches the whole process group.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  let leave = (): void => process.exit(0);
  process.on('disconnect', () => leave());
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && leave(), PARENT_CHECK_MS).unref();

  const taken = await acquireLock({
    directory: orders.lockDirectory,
    name: 'database',
    socket: orders.socketPath,
    waitMs: orders.lockWaitMs,
  });
  if (!taken.held) return reportAndLeave({ kind: 'locked', pid: taken.pid });
  process.on('exit', () => taken.lock.release());
  if (orders.mode === 'initialise') {
    await initialiseDatabase(orders.databaseDirectory, fatal);
    return reportAndLeave({ kind: 'initialised' });
  }
  leave = await serve(orders);
}

/** Opens the database and the socket. Returns how to leave. */
async function serve(orders: ChildOrders): Promise<() => void> {
  const engine = await openEngine(orders.databaseDirectory, fatal);
  if (!(await commitsReachDisk(engine))) {
    reportAndLeave({ kind: 'not-durable' });
    return () => process.exit(0);
  }
  const session = new SessionOwner(engine.pglite, IDLE_IN_TRANSACTION_MS, fatal);
  const stopMaintenance = startMaintenance(engine.pglite, session, (text) =>
    report({ kind: 'notice', text }),
  );
  const server = createServer((socket) => {
    new Connection(socket, session);
  });
  // Under the lock nobody else can be listening here: what exists is left from a crash.
  rmSync(orders.socketPath, { force: true });
  server.on('error', (error) => fatal(`the socket failed: ${describeError(error)}`));
  await new Promise<void>((resolve) => server.listen(orders.socketPath, resolve));

  let leaving = false;
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    stopMaintenance();
    server.close();
    session
      .exclusive(async () => {
        await engine.pglite.exec('checkpoint');
        rmSync(orders.socketPath, { force: true });
        process.exit(0);
      })
      .catch((error: unknown) => fatal(`closing failed: ${describeError(error)}`));
  };
  process.on('message', (message) => message === closeMessage && leave());
  report({ kind: 'ready' });
  return leave;
}

main().catch((error: unknown) => {
  report({ kind: 'failed', reason: describeError(error) });
  fatal(describeError(error));
});
