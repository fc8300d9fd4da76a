// pnpm-lock.yaml, versions 5 to 9 (github.com/pnpm/spec, "lockfile").
import type { CatalogSink } from '../cataloger.ts';
import { readIndentedEntries } from './indented-entries.ts';
import { PackageRows, textOf } from './lock-file.ts';
import { isLocal } from './npm-lock.ts';

const VERSION = /^lockfileVersion: *['"]?(\d+)/m;
/** Before version 6: `/name/1.2.3`, with peers after an underscore. */
const SLASHED = /^\/((?:@[^/]+\/)?[^/]+)\/([^/_]+)(?:_.*)?$/;

export function readPnpmLock(bytes: Buffer, sink: CatalogSink): void {
  const text = textOf(bytes);
  const major = VERSION.exec(text)?.[1];
  if (major === undefined) {
    sink.problem('no lockfileVersion');
    return;
  }
  const coordinatesOf = Number(major) < 6 ? slashed : atSigned;
  const rows = new PackageRows('npm', sink);
  for (const { key, fields } of readIndentedEntries(text, 'packages')) {
    const { name, version } = coordinatesOf(key);
    const known = fields.get('version') ?? version;
    // What comes from a folder or an address says its name and version itself, or has none.
    if (known !== undefined && !isLocal(version ?? key)) rows.add(fields.get('name') ?? name, known);
  }
  rows.finish();
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
