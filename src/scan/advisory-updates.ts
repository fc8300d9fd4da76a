// Keeps the server's advisory file up to date: every so often, in a process of its own (design.md decision 2b).
import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Clock, describeError, type Logger } from '../core/index.ts';
import { type UpdateAnswer, updateAnswer, type UpdateRequest } from './advisory-update-messages.ts';

export interface AdvisoryUpdateOptions extends UpdateRequest {
  /** Milliseconds from one update to the next; the first comes when the file is that old. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AdvisoryUpdates {
  /** Ends a running update; the file in place stays. */
  stop(): void;
}

/** Most that one update may take. */
const TIME_LIMIT_MS = 60 * 60_000;
const MAX_TIMER_MS = 2 ** 31 - 1;
/** What the child inherits of the environment: the network's settings and where registry credentials are, no more. */
const PASSED_ENVIRONMENT =
  /^(?:PATH|HOME|TMPDIR|LANG|TZ|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(?:https?|no)_proxy|XDG_RUNTIME_DIR|XDG_CONFIG_HOME|DOCKER_CONFIG|REGISTRY_AUTH_FILE)$/i;

/** Starts updating. Failures are logged and tried again at the next time; whoever watches the file sees it replaced. */
export function startAdvisoryUpdates(options: AdvisoryUpdateOptions): AdvisoryUpdates {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const schedule = (delay: number): void => {
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => void run(), Math.min(Math.max(0, delay), MAX_TIMER_MS));
  };
  const run = async (): Promise<void> => {
    const { sources, mirrors, cacheDirectory, place, logger } = options;
    const answer = await runUpdateProcess({ sources, mirrors, cacheDirectory, place }, stopping.signal).catch(
      (error: unknown): UpdateAnswer => ({
        kind: null,
        digest: null,
        error: describeError(error),
        warnings: [],
      }),
    );
    if (stopping.signal.aborted) return;
    for (const warning of answer.warnings) logger.warn(`advisories: ${warning}`);
    if (answer.error !== null) logger.warn(`advisories could not be updated: ${answer.error}`);
    else logger.info({ digest: answer.digest, outcome: answer.kind }, 'advisories updated');
    schedule(options.everyMs);
  };
  void stat(options.place).then(
    ({ mtimeMs }) => schedule(mtimeMs + options.everyMs - options.clock.now()),
    () => schedule(0),
  );
  return {
    stop: () => {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}

/** The program of the process: beside this file in the repository, beside the bundle when published. */
function programPath(): string {
  const name = import.meta.url.endsWith('.ts') ? './advisory-update-child.ts' : './update-child.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

function runUpdateProcess(request: UpdateRequest, signal: AbortSignal): Promise<UpdateAnswer> {
  const environment = Object.entries(process.env).filter(([name]) => PASSED_ENVIRONMENT.test(name));
  const child = fork(programPath(), [], {
    env: Object.fromEntries(environment),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise<UpdateAnswer>((resolve, reject) => {
    const cancel = (): void => reject(new Error('the server is stopping'));
    signal.addEventListener('abort', cancel, { once: true });
    const late = setTimeout(() => reject(new Error('it took too long')), TIME_LIMIT_MS);
    child.on('message', (message: unknown) => {
      const answer = updateAnswer.safeParse(message);
      if (answer.success) resolve(answer.data);
      else reject(new Error('its process sent something else than an answer'));
    });
    child.on('error', reject);
    child.on('exit', (code, name) => {
      clearTimeout(late);
      signal.removeEventListener('abort', cancel);
      reject(new Error(`its process ended (${name ?? code})`));
    });
    child.send(request, () => undefined);
  }).finally(() => child.kill('SIGKILL'));
}
