// Keeps the database process running: starts it, restarts it with back-off, tells when it is ready, stops it.
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, type Logger } from '../../core/index.ts';
import { storeErrors } from '../errors.ts';
import { childLocation } from './child-location.ts';
import { closeMessage, reportSchema, type ChildOrders, type ChildReport } from './messages.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** After running this long, a crash starts the back-off anew. */
const STEADY_MS = 30_000;
const CLOSE_LIMIT_MS = 15_000;

type Outcome = Extract<ChildReport, { kind: 'ready' | 'initialised' | 'locked' | 'not-durable' | 'failed' }>;

interface Started {
  readonly process: ChildProcess;
  readonly outcome: Outcome;
}

export class Supervisor {
  readonly #orders: Omit<ChildOrders, 'mode'>;
  readonly #logger: Logger;
  readonly #onRestart: () => void;
  #child: ChildProcess | undefined;
  #closing = false;
  #restarting: Promise<void> | undefined;

  constructor(orders: Omit<ChildOrders, 'mode'>, logger: Logger, onRestart: () => void) {
    this.#orders = orders;
    this.#logger = logger;
    this.#onRestart = onRestart;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Makes the data folder, in a process that ends afterwards. */
  async initialise(): Promise<void> {
    const { process: child, outcome } = await this.#spawn('initialise');
    if (outcome.kind !== 'initialised') throw this.#refusal(outcome);
    await exited(child);
  }

  /** Starts the database. Rejects with a coded error when it refuses. */
  async start(): Promise<void> {
    const { process: child, outcome } = await this.#spawn('serve');
    if (outcome.kind !== 'ready') {
      await exited(child);
      throw this.#refusal(outcome);
    }
    this.#child = child;
    const since = performance.now();
    void exited(child).then((reason) => this.#ended(child, reason, performance.now() - since));
  }

  /** Resolves when the database runs, or when `limitMs` of waiting for a restart have passed. */
  async running(limitMs: number): Promise<void> {
    if (this.#restarting === undefined) return;
    const limit = new AbortController();
    const late = sleep(Math.max(0, limitMs), undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([this.#restarting, late]);
    limit.abort();
  }

  /** Stops the database after its running statement; ends it by force when that takes over 15 seconds. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#restarting;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    if (child.connected) child.send(closeMessage);
    const force = setTimeout(() => child.kill('SIGKILL'), CLOSE_LIMIT_MS);
    await exited(child);
    clearTimeout(force);
    this.#child = undefined;
  }

  #ended(child: ChildProcess, reason: string, ranMs: number): void {
    if (this.#closing || this.#child !== child) return;
    this.#child = undefined;
    this.#logger.error({ reason }, 'the database process ended; starting it again');
    this.#restarting = this.#restart(ranMs >= STEADY_MS ? 0 : FIRST_DELAY_MS).finally(() => {
      this.#restarting = undefined;
    });
  }

  async #restart(firstDelayMs: number): Promise<void> {
    for (let delayMs = firstDelayMs; !this.#closing; delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 2 + 1)) {
      await sleep(delayMs);
      if (this.#closing) return;
      try {
        await this.start();
        this.#logger.info({ pid: this.pid }, 'the database process runs again');
        this.#onRestart();
        return;
      } catch (error) {
        this.#logger.error({ err: error }, `the database process did not start: ${describeError(error)}`);
      }
    }
  }

  #spawn(mode: ChildOrders['mode']): Promise<Started> {
    const orders: ChildOrders = { mode, ...this.#orders };
    const child = fork(childLocation(), [JSON.stringify(orders)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2_000);
    });
    return new Promise((resolve) => {
      child.on('message', (message) => {
        const parsed = reportSchema.safeParse(message);
        if (!parsed.success) return;
        if (parsed.data.kind === 'notice') this.#logger.warn(parsed.data.text);
        else resolve({ process: child, outcome: parsed.data });
      });
      void exited(child).then((reason) => {
        if (complaint !== '')
          this.#logger.error({ pid: child.pid, complaint }, 'the database process complained');
        resolve({ process: child, outcome: { kind: 'failed', reason: complaint.trim() || reason } });
      });
    });
  }

  #refusal(outcome: Outcome): Error {
    const directory = this.#orders.databaseDirectory;
    switch (outcome.kind) {
      case 'locked':
        return storeErrors.create('STORE_LOCK_TIMEOUT', {
          directory,
          pid: outcome.pid,
          seconds: this.#orders.lockWaitMs / 1_000,
        });
      case 'not-durable':
        return storeErrors.create('STORE_NOT_DURABLE');
      case 'failed':
        return storeErrors.create('STORE_EMBEDDED_FAILED', { reason: outcome.reason });
      case 'ready':
      case 'initialised':
        return storeErrors.create('STORE_EMBEDDED_FAILED', { reason: `unexpected answer ${outcome.kind}` });
    }
  }
}

function exited(child: ChildProcess): Promise<string> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve('already ended');
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(describeError(error)));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}
