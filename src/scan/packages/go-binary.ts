// Go executables: the modules and the toolchain that they were built from, found while the file streams by.
import { KiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink, ContentReader } from '../cataloger.ts';
import { isPackageName, isPackageVersion } from './coordinates.ts';
import { isExecutable } from './executable-magic.ts';
import { mayBeExecutable } from './executable-path.ts';
import { BUILD_INFO_MAGIC, parseModules, readBuildInfo, type GoModule } from './go-build-info.ts';
import { linkerVersion } from './go-linker-version.ts';

/** The smallest Go executable is several hundred KiB. */
const MIN_BYTES = 64 * KiB;
const CARRY_BYTES = BUILD_INFO_MAGIC.length - 1;

/** What recorded versions stand for "not known": built from a working copy. */
const UNKNOWN_VERSIONS = new Set(['', '(devel)', 'v0.0.0', 'unknown']);

export const goBinary: Cataloger = {
  name: 'go-binary',
  version: 2,
  broad: true,
  matches: mayBeExecutable,
  reading(entry) {
    return entry.size < MIN_BYTES ? undefined : { how: 'stream', open: (sink) => new BuildInfoSearch(sink) };
  },
};

/** Looks for the build information in an executable that arrives in chunks of any size. */
class BuildInfoSearch implements ContentReader {
  readonly #sink: CatalogSink;
  #head: Buffer | undefined = Buffer.alloc(0);
  #carry: Buffer = Buffer.alloc(0);
  /** Bytes from a magic on, while more of them are needed. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #needed = 0;
  #old = false;
  #done = false;

  constructor(sink: CatalogSink) {
    this.#sink = sink;
  }

  chunk(bytes: Buffer): boolean {
    if (this.#done) return false;
    if (this.#head !== undefined) {
      const head = Buffer.concat([this.#head, bytes.subarray(0, 4)]).subarray(0, 4);
      if (head.length === 4 && !isExecutable(head)) {
        this.#done = true;
        return false;
      }
      this.#head = head.length === 4 ? undefined : head;
    }
    if (this.#needed > 0) {
      this.#pending.push(Buffer.from(bytes));
      this.#pendingBytes += bytes.length;
      if (this.#pendingBytes >= this.#needed) this.#search(this.#takePending(), false);
    } else this.#search(this.#joined(bytes), false);
    return !this.#done;
  }

  end(): void {
    while (!this.#done && this.#needed > 0) this.#search(this.#takePending().subarray(1), true);
    if (!this.#done && this.#old) this.#sink.problem('built with Go before 1.18: its modules are unknown');
  }

  /** The chunk, with what was carried over in front only where a magic spans both. */
  #joined(bytes: Buffer): Buffer {
    const seam = Buffer.concat([this.#carry, bytes.subarray(0, CARRY_BYTES)]);
    const at = seam.indexOf(BUILD_INFO_MAGIC);
    if (at >= 0 && at < this.#carry.length) return Buffer.concat([this.#carry.subarray(at), bytes]);
    return bytes.length < CARRY_BYTES ? seam : bytes;
  }

  #takePending(): Buffer {
    const data = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#needed = 0;
    return data;
  }

  #search(data: Buffer, last: boolean): void {
    for (let from = 0; ; ) {
      const at = data.indexOf(BUILD_INFO_MAGIC, from);
      if (at < 0) break;
      const blob = readBuildInfo(data.subarray(at));
      if (blob.state === 'read') {
        this.#done = true;
        emit(blob.goVersion, blob.modules, this.#sink);
        return;
      }
      if (blob.state === 'short' && !last) {
        const rest = Buffer.from(data.subarray(at));
        this.#pending = [rest];
        this.#pendingBytes = rest.length;
        this.#needed = blob.bytes;
        return;
      }
      if (blob.state === 'old') this.#old = true;
      from = at + 1;
    }
    this.#carry = Buffer.from(data.subarray(Math.max(0, data.length - CARRY_BYTES)));
  }
}

function emit(goVersion: string, lines: string, sink: CatalogSink): void {
  const modules = parseModules(lines);
  // Experiments follow a space (`X:boringcrypto`); the older BoringCrypto branch counted `b7` after its release.
  const toolchain = /^go(\d\S*?)(?:b\d+)?(?=\s|$)/.exec(goVersion)?.[1];
  const build = { goVersion: goVersion.slice(0, 128) };
  sink.package({ kind: 'golang', name: 'stdlib', version: toolchain ?? '(devel)', detail: build });
  let malformed = modules.malformed;
  const add = (module: GoModule, role: 'main' | 'dependency'): void => {
    const recorded = UNKNOWN_VERSIONS.has(module.version) ? undefined : module.version;
    const linked = role === 'main' && recorded === undefined ? linkerVersion(lines, module.path) : undefined;
    const version = recorded ?? linked ?? '(devel)';
    if (!isPackageName(module.path) || !isPackageVersion(version)) malformed++;
    else sink.package({ kind: 'golang', name: module.path, version, detail: { module: role } });
  };
  if (modules.main) add(modules.main, 'main');
  for (const dependency of modules.dependencies) add(dependency, 'dependency');
  if (malformed > 0) sink.problem(`${malformed} module lines of the Go build information are malformed`);
}
