// Published .NET programs: `*.deps.json` (dotnet/sdk documentation, "runtime-configuration-file.md": libraries, targets).
import { MiB } from '../../../core/index.ts';
import type { Cataloger, CatalogSink } from '../../cataloger.ts';
import { isJsonObject, membersOf, readJsonObject } from '../json-object.ts';
import { PackageRows } from '../lock-file.ts';

const MAX_BYTES = 16 * MiB;
const MAX_LIBRARIES = 50_000;
/** A framework that was published with the program; advisories name it without this. */
const RUNTIME_PACK = 'runtimepack.';
/** What a library of a target brings along; one with none of these was replaced by the framework's own. */
const ASSETS = ['runtime', 'native', 'runtimeTargets', 'resources'] as const;

export const dotnetDeps: Cataloger = {
  name: 'dotnet-deps',
  version: 1,
  matches: (path) => path.endsWith('.deps.json'),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readDeps }),
};

function readDeps(bytes: Buffer, sink: CatalogSink): void {
  const content = readJsonObject(bytes, sink);
  if (content === undefined) return;
  const { libraries, targets } = content;
  if (!isJsonObject(libraries)) {
    sink.problem('no libraries in the dependency file');
    return;
  }
  const absent = withoutAssets(targets);
  const rows = new PackageRows('nuget', sink);
  for (const [key, library] of membersOf(libraries).slice(0, MAX_LIBRARIES)) {
    const type = isJsonObject(library) ? library['type'] : undefined;
    const isPack = type === 'runtimepack';
    if ((type !== 'package' && !isPack) || absent.has(key)) continue;
    const slash = key.lastIndexOf('/');
    const start = isPack && key.startsWith(RUNTIME_PACK) ? RUNTIME_PACK.length : 0;
    rows.add(key.slice(start, Math.max(0, slash)), key.slice(slash + 1));
  }
  rows.finish();
}

/** Libraries that some target lists and none brings a file of. */
function withoutAssets(targets: unknown): ReadonlySet<string> {
  const absent = new Set<string>();
  const present = new Set<string>();
  for (const [, target] of membersOf(targets)) {
    for (const [key, library] of membersOf(target)) {
      const files = ASSETS.some((kind) => isJsonObject(library) && membersOf(library[kind]).length > 0);
      (files ? present : absent).add(key);
    }
  }
  for (const key of present) absent.delete(key);
  return absent;
}
