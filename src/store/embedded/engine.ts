// PGlite with durable commits: fsync on, its calls handed to the operating system, and a self-check that they arrive.
import { fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { describeError } from '../../core/index.ts';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/**
 * PGlite's own parameters without `-F` (which turns fsync off), with the one sync method that its file system can
 * offer, and with memory and log sizes for one small server.
 */
const START_PARAMETERS = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...['wal_sync_method=fsync', 'shared_buffers=16MB', 'max_wal_size=128MB', 'min_wal_size=32MB'].flatMap(
    (setting) => ['-c', setting],
  ),
];

export interface Engine {
  readonly pglite: PGlite;
  /** How many fsync calls reached the operating system so far. */
  fsyncs(): number;
}

/** Opens an initialised data folder; an empty one is initialised first, which takes much memory. */
export async function openEngine(directory: string, onFatal: (reason: string) => never): Promise<Engine> {
  // What PostgreSQL complained about last, to say why it gave up: `No space left on device`, for instance.
  let complaint = '';
  const withComplaint = (reason: string): string => (complaint === '' ? reason : `${reason}: ${complaint}`);
  const files = new DurableFiles(directory, (reason) => onFatal(withComplaint(reason)));
  try {
    const pglite = await PGlite.create({
      fs: files,
      startParams: START_PARAMETERS,
      onStderr: (line) => {
        if (/\b(ERROR|FATAL|PANIC):/.test(line)) complaint = line.replace(/^.*?\b(?=ERROR|FATAL|PANIC)/, '');
        return false;
      },
    });
    return { pglite, fsyncs: () => files.fsyncs };
  } catch (error) {
    throw new Error(withComplaint(describeError(error)), { cause: error });
  }
}

/** Does a commit raise the fsync counter? If not, acknowledged work could be lost with the power. */
export async function commitsReachDisk(engine: Engine): Promise<boolean> {
  const before = engine.fsyncs();
  await engine.pglite.query("select pg_logical_emit_message(true, 'breakwater', 'durability check')");
  return engine.fsyncs() > before;
}

type ModuleOptions = Parameters<NodeFS['init']>[1];

/** The folder as PGlite sees it, with the fsync operation that Emscripten's NODEFS lacks. */
class DurableFiles extends NodeFS {
  fsyncs = 0;
  readonly #onFatal: (reason: string) => never;

  constructor(directory: string, onFatal: (reason: string) => never) {
    super(directory);
    this.#onFatal = onFatal;
  }

  override async init(pglite: PGlite, options: ModuleOptions): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pglite, options);
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        // Without this, PGlite keeps calling into an aborted engine for ever.
        onAbort: (reason: unknown) => this.#onFatal(`the engine aborted: ${String(reason)}`),
        preRun: [
          ...(emscriptenOpts.preRun ?? []),
          (module) => {
            const operations: unknown = module.FS.filesystems.NODEFS;
            if (!hasStreamOperations(operations)) return;
            operations.stream_ops['fsync'] = (stream) => this.#sync(stream);
          },
        ],
      },
    };
  }

  #sync(stream: { readonly nfd?: unknown }): number {
    if (typeof stream.nfd !== 'number') return 0;
    try {
      fsyncSync(stream.nfd);
    } catch (error) {
      // After a failed fsync the kernel may have dropped the pages; only recovery from the log is safe.
      this.#onFatal(`fsync failed: ${String(error)}`);
    }
    this.fsyncs++;
    return 0;
  }
}

interface StreamOperations {
  readonly stream_ops: Record<string, (stream: { readonly nfd?: unknown }) => number>;
}

function hasStreamOperations(value: unknown): value is StreamOperations {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stream_ops' in value &&
    typeof value.stream_ops === 'object' &&
    value.stream_ops !== null
  );
}
