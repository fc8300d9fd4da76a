// Scans in a child process with limits on memory and time, so that no image can harm the server (design.md decision 2b).
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BreakwaterError, describeError, MiB, type Logger } from '../core/index.ts';
import { scanErrors } from './errors.ts';
import type { LayerBytes } from './layer-cache.ts';
import { residentBytes } from './process-memory.ts';
import {
  processMessage,
  type ProcessMessage,
  type ScanProcessRequest,
  type ServerMessage,
} from './process-messages.ts';
import type { ScanProgress } from './scan-options.ts';
import type { ScanReport } from './types.ts';

/** Most resident memory of one scan process. */
export const DEFAULT_MEMORY_LIMIT_BYTES = 300 * MiB;
/** Longest duration of one scan. */
export const DEFAULT_TIME_LIMIT_MS = 15 * 60_000;

const MEMORY_POLL_MS = 200;
/** V8's share of the limit; the rest is for buffers, zlib and the runtime itself. */
const OLD_SPACE_SHARE = 0.5;

/** What the child inherits of the environment: no secrets of the server. */
const PASSED_ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];

export interface ScanProcessOptions {
  readonly layers: LayerBytes;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
  readonly memoryLimitBytes?: number;
  readonly timeLimitMs?: number;
  /** Private directory in which the child keeps compiled code, so that the next one starts sooner. */
  readonly codeCacheDirectory?: string;
  readonly onProgress?: (progress: ScanProgress) => void;
  /** Called with the process id as soon as there is one. */
  readonly onStart?: (pid: number) => void;
}

/** The program a scan process runs: beside this file in the repository, beside the bundle when published. */
export function scanProcessPath(): string {
  const name = import.meta.url.endsWith('.ts') ? './process-child.ts' : './scan-child.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * Runs one scan in a new process and waits for its reports. Rejects with the scan's own coded error, or with
 * SCAN_MEMORY_LIMIT, SCAN_TIME_LIMIT, SCAN_PROCESS_ENDED (it died), SCAN_CANCELLED (the signal).
 */
export function runScanProcess(
  request: Omit<ScanProcessRequest, 'memoryLimitBytes'>,
  options: ScanProcessOptions,
): Promise<readonly ScanReport[]> {
  const memoryLimitBytes = options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES;
  if (options.signal?.aborted) return Promise.reject(scanErrors.create('SCAN_CANCELLED'));
  return new Run({ ...request, memoryLimitBytes }, options).result;
}

class Run {
  readonly result: Promise<readonly ScanReport[]>;
  readonly #request: ScanProcessRequest;
  readonly #options: ScanProcessOptions;
  readonly #child: ChildProcess;
  #settle: ((outcome: readonly ScanReport[] | BreakwaterError) => void) | undefined;

  constructor(request: ScanProcessRequest, options: ScanProcessOptions) {
    this.#request = request;
    this.#options = options;
    this.#child = startProcess(request.memoryLimitBytes, options.codeCacheDirectory);
    this.result = new Promise((resolve, reject) => {
      this.#settle = (outcome) => {
        this.#settle = undefined;
        this.#stop();
        if (outcome instanceof BreakwaterError) reject(outcome);
        else resolve(outcome);
      };
    });
    const { pid } = this.#child;
    if (pid !== undefined) options.onStart?.(pid);
    this.#child.on('message', (message: unknown) => void this.#receive(message));
    this.#child.on('error', (error) =>
      this.#end(scanErrors.create('SCAN_PROCESS_ENDED', { how: error.message }, error)),
    );
    this.#child.on('exit', (code, signal) =>
      this.#end(scanErrors.create('SCAN_PROCESS_ENDED', { how: signal ?? `exit code ${code ?? 'unknown'}` })),
    );
    this.#child.stderr?.on('data', (text: Buffer) =>
      options.logger.warn(
        { pid, output: text.toString('utf8').slice(0, 2_000) },
        'scan process wrote to stderr',
      ),
    );
    this.#watch();
    this.#send({ type: 'scan', request });
  }

  readonly #cancel = (): void => this.#end(scanErrors.create('SCAN_CANCELLED'));
  #memoryTimer: NodeJS.Timeout | undefined;
  #timeTimer: NodeJS.Timeout | undefined;

  #watch(): void {
    const { signal, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = this.#options;
    signal?.addEventListener('abort', this.#cancel, { once: true });
    this.#timeTimer = setTimeout(
      () => this.#end(scanErrors.create('SCAN_TIME_LIMIT', { seconds: Math.round(timeLimitMs / 1000) })),
      timeLimitMs,
    );
    this.#memoryTimer = setInterval(() => void this.#checkMemory(), MEMORY_POLL_MS);
  }

  async #checkMemory(): Promise<void> {
    const { pid } = this.#child;
    const used = pid === undefined ? undefined : await residentBytes(pid);
    const limit = this.#request.memoryLimitBytes;
    if (used !== undefined && used > limit) this.#end(memoryError(used, limit));
  }

  #end(error: BreakwaterError): void {
    this.#settle?.(error);
  }

  /** The child has nothing to save: it is ended at once in every case. */
  #stop(): void {
    clearInterval(this.#memoryTimer);
    clearTimeout(this.#timeTimer);
    this.#options.signal?.removeEventListener('abort', this.#cancel);
    this.#child.kill('SIGKILL');
  }

  #send(message: ServerMessage): void {
    if (!this.#child.connected) return;
    // A failed send means the child has gone, which its exit event reports.
    this.#child.send(message, () => undefined);
  }

  async #receive(message: unknown): Promise<void> {
    const parsed = processMessage.safeParse(message);
    if (!parsed.success) {
      this.#end(scanErrors.create('SCAN_PROCESS_MESSAGE', {}, parsed.error));
      return;
    }
    try {
      await this.#handle(parsed.data);
    } catch (error) {
      this.#end(scanErrors.create('SCAN_FAILED', { reason: describeError(error) }, error));
    }
  }

  async #handle(message: ProcessMessage): Promise<void> {
    switch (message.type) {
      case 'get-layer': {
        const bytes = await this.#options.layers.get(message.digest);
        this.#send({ type: 'layer', call: message.call, bytes: bytes ?? null });
        return;
      }
      case 'put-layer':
        await this.#options.layers.put(message.digest, message.bytes);
        this.#send({ type: 'layer', call: message.call, bytes: null });
        return;
      case 'progress':
        this.#options.onProgress?.(message);
        return;
      case 'reports':
        this.#settle?.(message.reports);
        return;
      case 'error': {
        const { code, message: text, hint, status, exit } = message;
        this.#end(new BreakwaterError(code, { message: text, hint, status, exit }, {}));
        return;
      }
    }
  }
}

function memoryError(used: number, limit: number): BreakwaterError {
  return scanErrors.create('SCAN_MEMORY_LIMIT', {
    used: Math.ceil(used / MiB),
    limit: Math.floor(limit / MiB),
  });
}

function startProcess(memoryLimitBytes: number, codeCacheDirectory: string | undefined): ChildProcess {
  const oldSpace = Math.max(64, Math.floor((memoryLimitBytes / MiB) * OLD_SPACE_SHARE));
  const environment: Record<string, string> = { UV_THREADPOOL_SIZE: '3' };
  for (const name of PASSED_ENVIRONMENT) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  if (codeCacheDirectory !== undefined) environment['NODE_COMPILE_CACHE'] = codeCacheDirectory;
  return fork(scanProcessPath(), [], {
    execArgv: [
      `--max-old-space-size=${oldSpace}`,
      '--max-semi-space-size=4',
      '--disable-warning=ExperimentalWarning',
    ],
    env: environment,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
