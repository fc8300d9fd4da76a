// The program of a scan process: takes one request over IPC, scans, answers, and ends with its parent.
import { setPriority } from 'node:os';
import { openAdvisories } from '../advisories/index.ts';
import { BreakwaterError, describeError, systemClock } from '../core/index.ts';
import { openRegistryImage, requireDigest } from '../oci/index.ts';
import { scanErrors } from './errors.ts';
import { encodedLayerCache, type LayerBytes } from './layer-cache.ts';
import { serverMessage, type ProcessMessage, type ScanProcessRequest } from './process-messages.ts';
import { scanImage } from './scan-image.ts';

const MEMORY_POLL_MS = 200;
/** Gives way to the server for the processor, yet is not starved by other work on the machine (half a share). */
const NICENESS = 3;
const PROGRESS_MS = 250;

/** Calls that wait for the server's answer. */
const calls = new Map<number, (bytes: Uint8Array | undefined) => void>();
let lastCall = 0;

function send(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) process.exit(1);
    process.send(message, undefined, {}, () => resolve());
  });
}

/** The server's layer cache: the server only moves bytes, they are decoded here. */
const layers: LayerBytes = {
  get: (digest) =>
    new Promise((resolve) => {
      const call = ++lastCall;
      calls.set(call, resolve);
      void send({ type: 'get-layer', call, digest });
    }),
  put: (digest, bytes) =>
    new Promise((resolve) => {
      const call = ++lastCall;
      calls.set(call, () => resolve());
      void send({ type: 'put-layer', call, digest, bytes });
    }),
};

async function scan(request: ScanProcessRequest): Promise<void> {
  const advisories = openAdvisories(request.advisoriesPath);
  const { registry, repository, digest, token, plainHttp, platform, secrets = false } = request;
  const reference = { registry, repository, tag: null, digest: requireDigest(digest) };
  const source = openRegistryImage(reference, {
    plainHttp,
    ...(token === undefined ? {} : { credential: { kind: 'bearer', token } }),
  });
  let told = 0;
  const reports = await scanImage(source, {
    advisories,
    cache: encodedLayerCache(layers),
    clock: systemClock,
    secrets,
    ...(platform === undefined ? {} : { platform }),
    onProgress: (progress) => {
      const now = systemClock.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      void send({ type: 'progress', ...progress });
    },
  });
  await send({ type: 'reports', reports });
}

async function answer(request: ScanProcessRequest): Promise<void> {
  try {
    await scan(request);
  } catch (error) {
    const known =
      error instanceof BreakwaterError
        ? error
        : scanErrors.create('SCAN_FAILED', { reason: describeError(error) }, error);
    const exit =
      known.exit === 1 || known.exit === 2 || known.exit === 3 || known.exit === 4 ? known.exit : 70;
    const { code, message, hint, status } = known;
    await send({ type: 'error', code, message, hint, status, exit });
  }
}

/** Where the parent cannot see this process's memory (no /proc), the process watches itself. */
function watchMemory(limit: number): void {
  if (process.platform === 'linux') return;
  setInterval(() => {
    if (process.memoryUsage.rss() > limit) process.abort();
  }, MEMORY_POLL_MS).unref();
}

try {
  setPriority(NICENESS);
} catch {
  // Not allowed everywhere; the scan is only less polite then.
}

process.on('disconnect', () => process.exit(1));
process.on('message', (message: unknown) => {
  const parsed = serverMessage.safeParse(message);
  if (!parsed.success) process.exit(2);
  if (parsed.data.type === 'layer') {
    const { call, bytes } = parsed.data;
    calls.get(call)?.(bytes ?? undefined);
    calls.delete(call);
    return;
  }
  watchMemory(parsed.data.request.memoryLimitBytes);
  void answer(parsed.data.request);
});
