// The distribution an image is made of: os-release(5) in etc/ or usr/lib/.
import { KiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';

/** Where os-release may be, the more telling first (os-release(5): etc/ wins). */
export const OS_RELEASE_PATHS = ['etc/os-release', 'usr/lib/os-release'] as const;

const PATHS: ReadonlySet<string> = new Set(OS_RELEASE_PATHS);
const MAX_BYTES = 64 * KiB;

export const osRelease: Cataloger = {
  name: 'os-release',
  version: 1,
  matches: (path) => PATHS.has(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readOsRelease }),
};

function readOsRelease(bytes: Buffer, sink: CatalogSink): void {
  const fields = new Map<string, string>();
  for (const line of bytes.toString('utf8').split('\n')) {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) fields.set(match[1], unquote(match[2].trim()));
  }
  const id = fields.get('ID')?.toLowerCase() ?? '';
  if (!/^[a-z0-9._-]{1,64}$/.test(id)) {
    sink.problem('os-release has no usable ID');
    return;
  }
  const versionId = fields.get('VERSION_ID') ?? '';
  sink.distribution({
    id,
    versionId: /^[A-Za-z0-9._+~-]{1,64}$/.test(versionId) ? versionId : null,
    prettyName: (fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? id).slice(0, 200),
  });
}

/** Shell quoting as far as os-release(5) allows it. */
function unquote(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1] ?? /^'([^']*)'$/.exec(value)?.[1];
  return (quoted ?? value).replace(/\\(["\\$`'])/g, '$1').replace(/\p{Cc}/gu, '');
}
