// pnpm-lock.yaml, versions 5 to 9 (github.com/pnpm/spec, "lockfile"): YAML that pnpm writes in one form, read line by line.
import type { CatalogSink } from '../cataloger.ts';
import { linesOf, PackageRows, textOf } from './lock-file.ts';
import { isLocal } from './npm-lock.ts';

const VERSION = /^lockfileVersion: *['"]?(\d+)/;
/** A key of `packages`: two spaces, then a plain or quoted text. */
const KEY = /^ {2}(?:'([^']+)'|"([^"]+)"|([^\s'"][^\s]*)):(?: .*)?$/;
const FIELD = /^ {4}(name|version): *['"]?([^'"\s]+)['"]?$/;
/** Before version 6: `/name/1.2.3`, with peers after an underscore. */
const SLASHED = /^\/((?:@[^/]+\/)?[^/]+)\/([^/_]+)(?:_.*)?$/;

interface Entry {
  readonly key: string;
  name?: string;
  version?: string;
}

export function readPnpmLock(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('npm', sink);
  let major: number | undefined;
  let inPackages = false;
  let entry: Entry | undefined;
  const flush = (): void => {
    if (entry !== undefined) addEntry(entry, major ?? 0, rows);
    entry = undefined;
  };
  for (const line of linesOf(textOf(bytes))) {
    if (line === '') continue;
    if (!line.startsWith(' ')) {
      flush();
      major ??= numberIn(line);
      inPackages = line === 'packages:';
    } else if (inPackages) {
      const [, single, double, plain] = KEY.exec(line) ?? [];
      const key = single ?? double ?? plain;
      if (key !== undefined) {
        flush();
        entry = { key };
      } else if (entry !== undefined) addField(entry, line);
    }
  }
  flush();
  if (major === undefined) sink.problem('no lockfileVersion');
  rows.finish();
}

function numberIn(line: string): number | undefined {
  const found = VERSION.exec(line)?.[1];
  return found === undefined ? undefined : Number(found);
}

function addField(entry: Entry, line: string): void {
  const field = FIELD.exec(line);
  if (field?.[1] === 'name') entry.name ??= field[2] ?? '';
  if (field?.[1] === 'version') entry.version ??= field[2] ?? '';
}

function addEntry(entry: Entry, major: number, rows: PackageRows): void {
  const { name, version } = major < 6 ? slashed(entry.key) : atSigned(entry.key);
  const known = entry.version ?? version;
  // What comes from a folder or an address says its name and version itself, or has none.
  if (known === undefined || isLocal(version ?? entry.key)) return;
  rows.add(entry.name ?? name, known);
}

interface Coordinates {
  readonly name?: string;
  readonly version?: string;
}

function slashed(key: string): Coordinates {
  const [, name, version] = SLASHED.exec(key) ?? [];
  return name === undefined || version === undefined ? {} : { name, version };
}

/** From version 6 on: `name@1.2.3(peers)`, at first with a slash before it. */
function atSigned(key: string): Coordinates {
  const plain = key.startsWith('/') ? key.slice(1) : key;
  const peers = plain.indexOf('(');
  const end = peers < 0 ? plain.length : peers;
  const at = plain.indexOf('@', 1);
  return at < 0 || at >= end ? {} : { name: plain.slice(0, at), version: plain.slice(at + 1, end) };
}
