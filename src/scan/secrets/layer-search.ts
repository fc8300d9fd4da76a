// Searches the files of one layer for secrets while it streams by, beside what the catalogers read.
import { describeError, MiB } from '../../core/index.ts';
import type { EntryInterest, LayerEntry } from '../../oci/index.ts';
import { archivedFiles, MAX_ARCHIVE_BYTES } from './archives.ts';
import { maskSecret, secretFingerprint } from './masking.ts';
import { encodePathHashes, pathHash } from './path-hashes.ts';
import { isArchivePath, isLeftToPackages, searchKinds } from './paths.ts';
import { secretRules, secretsVersion } from './rules.ts';
import { SecretSearch, type RuleKinds } from './search.ts';
import type { LayerSecret, LayerSecrets } from './types.ts';

/** A text is searched up to here; what lies behind is stated as not searched. */
const MAX_TEXT_BYTES = 16 * MiB;
/** A NUL in this many first bytes makes a file binary. */
const SNIFFED_BYTES = 8_000;
const MAX_SECRETS = 2_000;
const MAX_PATHS = 300_000;

/** Where problems go: what completes "could not search for secrets: …", and the file. */
export type SearchProblem = (reason: string, path: string | null) => void;

interface Reader {
  /** Returns false for no more. */
  chunk(bytes: Buffer): boolean;
  end(): void;
  /** The cataloger that reads the file too gave it up for its size. */
  tooLarge?(): void;
}

export class LayerSecretSearch {
  readonly #search = new SecretSearch(secretRules());
  readonly #problem: SearchProblem;
  readonly #found = new Map<string, LayerSecret[]>();
  readonly #files = new Set<number>();
  readonly #owned = new Set<number>();
  #count = 0;
  #full = false;

  constructor(problem: SearchProblem) {
    this.#problem = problem;
  }

  /** What is wanted of an entry, given what the catalogers want of it. */
  watch(entry: LayerEntry, wanted: EntryInterest): EntryInterest {
    if (entry.type === 'directory' || entry.type === 'whiteout' || entry.type === 'opaque') return wanted;
    if (this.#files.size < MAX_PATHS) this.#files.add(pathHash(entry.path));
    this.#remove(entry.path);
    const reader = entry.type === 'file' && entry.size > 0 ? this.#reader(entry) : undefined;
    return reader === undefined ? wanted : both(wanted, this.#guarded(reader, entry.path));
  }

  /** An operating-system package of this layer owns the file (top folders that are links into usr/ resolved). */
  owns(path: string): void {
    if (this.#owned.size < MAX_PATHS) this.#owned.add(pathHash(path));
  }

  /** All that was found, but for unchanged files of packages: `resolve` gives paths the form that `owns` was told. */
  results(resolve: (path: string) => string): LayerSecrets {
    const found: LayerSecret[] = [];
    for (const [path, secrets] of this.#found) {
      const resolved = resolve(path);
      if (isLeftToPackages(resolved) && this.#owned.has(pathHash(resolved))) continue;
      found.push(...secrets);
    }
    return { version: secretsVersion, found, files: encodePathHashes(this.#files) };
  }

  /** A later entry of the same path replaces the earlier one. */
  #remove(path: string): void {
    this.#count -= this.#found.get(path)?.length ?? 0;
    this.#found.delete(path);
  }

  /** A mistake in the search costs one file, not the scan. */
  #guarded(reader: Reader, path: string): Reader {
    let broken = false;
    const guard = <T>(read: () => T): T | undefined => {
      if (broken) return undefined;
      try {
        return read();
      } catch (error) {
        broken = true;
        this.#problem(describeError(error), path);
        return undefined;
      }
    };
    return {
      chunk: (bytes) => guard(() => reader.chunk(bytes)) ?? false,
      end: () => {
        guard(() => reader.end());
      },
      tooLarge: () => this.#problem('the file is larger than what is read of it', path),
    };
  }

  #reader(entry: LayerEntry): Reader | undefined {
    if (isArchivePath(entry.path) && searchKinds(entry.path) !== undefined) {
      if (entry.size <= MAX_ARCHIVE_BYTES) return this.#archiveReader(entry);
      this.#problem(`archives above ${MAX_ARCHIVE_BYTES / MiB} MiB are not opened`, entry.path);
      return undefined;
    }
    const kinds = searchKinds(entry.path);
    return kinds === undefined ? undefined : this.#textReader(entry, kinds);
  }

  #textReader({ path, size: total }: LayerEntry, kinds: RuleKinds): Reader {
    let size = 0;
    return {
      chunk: (bytes) => {
        if (size === 0) this.#search.begin(kinds);
        if (size < SNIFFED_BYTES && bytes.subarray(0, SNIFFED_BYTES - size).includes(0)) {
          if (size === 0 && hasUtf16Mark(bytes)) this.#problem('text in UTF-16 is not read', path);
          size = Number.POSITIVE_INFINITY;
          return false;
        }
        this.#search.write(bytes.subarray(0, MAX_TEXT_BYTES - size));
        size += bytes.length;
        return size < MAX_TEXT_BYTES;
      },
      end: () => {
        if (!Number.isFinite(size)) return;
        if (total > MAX_TEXT_BYTES)
          this.#problem(`only the first ${MAX_TEXT_BYTES / MiB} MiB were read`, path);
        if (size > 0) this.#keep(path, path);
      },
    };
  }

  #archiveReader(entry: LayerEntry): Reader {
    const bytes = Buffer.allocUnsafe(entry.size);
    let filled = 0;
    return {
      chunk: (chunk) => {
        filled += chunk.copy(bytes, filled);
        return true;
      },
      end: () => {
        const wanted = (path: string): boolean => searchKinds(path) !== undefined && !isArchivePath(path);
        const reasons = new Set<string>();
        for (const file of archivedFiles(bytes.subarray(0, filled), wanted, (reason) =>
          reasons.add(reason),
        )) {
          if (file.bytes.subarray(0, SNIFFED_BYTES).includes(0)) continue;
          this.#search.begin(searchKinds(file.path || entry.path.replace(/\.gz$/i, '')) ?? TOKENS_ONLY);
          this.#search.write(file.bytes);
          this.#keep(entry.path, file.path === '' ? entry.path : `${entry.path}!/${file.path}`);
        }
        for (const reason of reasons) this.#problem(`not searched in the archive: ${reason}`, entry.path);
      },
    };
  }

  #keep(entry: string, path: string): void {
    const { matches, overflow } = this.#search.finish();
    if (overflow) this.#problem('more values look like secrets than are kept', path);
    for (const { rule, line, value, validated } of matches) {
      if (this.#count >= MAX_SECRETS) {
        if (!this.#full) this.#problem('the layer holds more secrets than are kept', null);
        this.#full = true;
        return;
      }
      this.#count++;
      const list = this.#found.get(entry) ?? [];
      this.#found.set(entry, list);
      const fingerprint = secretFingerprint(rule.id, value);
      list.push({ rule: rule.id, path, line, masked: maskSecret(value), fingerprint, validated });
    }
  }
}

/** The byte order mark of UTF-16, in either order. */
function hasUtf16Mark(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

const TOKENS_ONLY: RuleKinds = { token: true, assigned: false, generic: false };

/** Reads for the cataloger and for secrets at once. */
function both(wanted: EntryInterest, reader: Reader): EntryInterest {
  switch (wanted.want) {
    case 'nothing':
      return { want: 'stream', onChunk: (bytes) => reader.chunk(bytes), onEnd: () => reader.end() };
    case 'bytes':
      return {
        ...wanted,
        onBytes: (bytes) => {
          reader.chunk(bytes);
          reader.end();
          wanted.onBytes(bytes);
        },
        onTooLarge: () => {
          reader.tooLarge?.();
          wanted.onTooLarge();
        },
      };
    case 'stream': {
      let first = true;
      let second = true;
      return {
        want: 'stream',
        onChunk: (bytes) => {
          first = first && wanted.onChunk(bytes);
          second = second && reader.chunk(bytes);
          return first || second;
        },
        onEnd: () => {
          wanted.onEnd();
          reader.end();
        },
      };
    }
  }
}
