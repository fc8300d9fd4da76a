// Java archives: what each jar, war and ear is made of, archives inside them and shaded libraries too.
import { GiB, MiB } from '../../../core/index.ts';
import type { Cataloger, CatalogSink, ContentReader } from '../../cataloger.ts';
import { type ArchiveBytes, memoryBytes, SpillFile } from './archive-bytes.ts';
import { ARCHIVE_NAME, readArchive } from './archive.ts';

/** Up to this size an archive is held in memory, a larger one goes to a temporary file while it is read. */
const MEMORY_BYTES = 32 * MiB;
/** Larger archives are not read. One file of a layer is read at a time, so this is also the disk space it may take. */
const MAX_BYTES = 2 * GiB;

export const java: Cataloger = {
  name: 'java',
  version: 1,
  matches: (path) => ARCHIVE_NAME.test(path),
  reading: ({ size }) =>
    size > MEMORY_BYTES && size <= MAX_BYTES
      ? { how: 'stream', open: (sink) => new SpilledArchive(sink) }
      : { how: 'whole', limit: Math.min(Math.max(size, MEMORY_BYTES), MAX_BYTES), read: readInMemory },
};

function readInMemory(bytes: Buffer, sink: CatalogSink): void {
  catalog(memoryBytes(bytes), sink);
}

/** Writes an archive to a temporary file as it streams by, reads it there, and lets the file go. */
class SpilledArchive implements ContentReader {
  readonly #sink: CatalogSink;
  #file: SpillFile | undefined;
  #whole = true;

  constructor(sink: CatalogSink) {
    this.#sink = sink;
  }

  chunk(bytes: Buffer): boolean {
    const before = this.#whole;
    // Stays false when the disk is full: what was written then is no archive.
    this.#whole = false;
    this.#file ??= new SpillFile();
    this.#file.append(bytes);
    this.#whole = before;
    return this.#whole;
  }

  end(): void {
    try {
      if (this.#file !== undefined && this.#whole) catalog(this.#file.bytes(), this.#sink);
    } finally {
      this.#file?.close();
    }
  }
}

function catalog(bytes: ArchiveBytes, sink: CatalogSink): void {
  // Some of the names belong to other things too: what does not start as a zip or a script is none of ours.
  const head = bytes.read(0, 2).toString('latin1');
  if (head !== 'PK' && head !== '#!') return;
  const name = sink.path.slice(sink.path.lastIndexOf('/') + 1);
  readArchive(bytes, name, {
    artifact({ group, artifact, version, from }, inside) {
      sink.package({
        kind: 'maven',
        name: group === null ? artifact : `${group}:${artifact}`,
        version,
        detail: { identity: from, ...(inside === '' ? {} : { inside }) },
      });
    },
    problem: (reason) => sink.problem(reason),
  });
}
