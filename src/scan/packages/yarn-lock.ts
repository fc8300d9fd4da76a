// yarn.lock of Yarn 1 (own format) and of Yarn 2 and later (YAML of a fixed form): read line by line.
import type { CatalogSink } from '../cataloger.ts';
import { linesOf, PackageRows, textOf } from './lock-file.ts';
import { isLocal } from './npm-lock.ts';

/** `  version "1.2.3"`, or with a colon and with or without quotes. */
const FIELD = /^ {2}"?(version|resolution)"?:? "?([^"\s]+)"?$/;

interface Entry {
  /** `"name@range", name@range`, without the colon. */
  readonly key: string;
  version?: string;
  /** Yarn 2 and later: `name@npm:1.2.3`. */
  resolution?: string;
}

export function readYarnLock(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('npm', sink);
  let entry: Entry | undefined;
  for (const line of linesOf(textOf(bytes))) {
    if (line === '' || line.startsWith('#')) continue;
    if (!line.startsWith(' ')) {
      addEntry(entry, rows);
      entry = line.endsWith(':') && line !== '__metadata:' ? { key: line.slice(0, -1) } : undefined;
      continue;
    }
    const field = entry === undefined ? null : FIELD.exec(line);
    if (entry === undefined || field === null) continue;
    if (field[1] === 'version') entry.version ??= field[2] ?? '';
    else entry.resolution ??= field[2] ?? '';
  }
  addEntry(entry, rows);
  rows.finish();
}

function addEntry(entry: Entry | undefined, rows: PackageRows): void {
  if (entry === undefined) return;
  const descriptor = entry.resolution ?? firstDescriptor(entry.key);
  const at = descriptor.indexOf('@', 1);
  const name = at < 0 ? descriptor : descriptor.slice(0, at);
  const range = at < 0 ? '' : descriptor.slice(at + 1);
  if (isLocal(range)) return;
  rows.add(entry.resolution === undefined ? (aliasedName(range) ?? name) : name, entry.version);
}

function firstDescriptor(key: string): string {
  const quoted = key.startsWith('"');
  const end = key.indexOf(quoted ? '"' : ',', 1);
  return key.slice(quoted ? 1 : 0, end < 0 ? key.length : end);
}

/** In `name@npm:other@^1`, `other` is the package. */
function aliasedName(range: string): string | undefined {
  if (!range.startsWith('npm:')) return undefined;
  const at = range.indexOf('@', 5);
  return at < 0 ? undefined : range.slice(4, at);
}
