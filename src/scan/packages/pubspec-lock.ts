// Dart's pubspec.lock: a YAML map of the packages of each application.
import { parse } from 'yaml';
import { MiB } from '../../core/index.ts';
import type { CatalogSink } from '../cataloger.ts';
import { isJsonObject, membersOf } from './json-object.ts';
import { PackageRows, textOf } from './lock-file.ts';

/** The parser's memory is many times its input; the lock file of an application has some ten KiB. */
const MAX_BYTES = 1 * MiB;

/** Packages of the SDK and of folders have no version of their own. */
export function readPubspecLock(bytes: Buffer, sink: CatalogSink): void {
  if (bytes.length > MAX_BYTES) {
    sink.problem(`larger than ${MAX_BYTES} bytes`);
    return;
  }
  const content = parseYaml(textOf(bytes), sink);
  if (content === undefined) return;
  const packages = isJsonObject(content) ? content['packages'] : undefined;
  if (!isJsonObject(packages)) {
    sink.problem('no map of packages');
    return;
  }
  const rows = new PackageRows('pub', sink);
  for (const [name, entry] of membersOf(packages)) {
    const { source, version } = isJsonObject(entry) ? entry : {};
    if (source !== 'sdk' && source !== 'path') rows.add(name, version);
  }
  rows.finish();
}

/** Every scalar as text, so that 1.10 stays 1.10; no aliases, which could grow without end. */
function parseYaml(text: string, sink: CatalogSink): unknown {
  try {
    const options = { schema: 'failsafe', maxAliasCount: 0, uniqueKeys: false, logLevel: 'silent' } as const;
    const content: unknown = parse(text, options);
    return content;
  } catch {
    sink.problem('not YAML');
    return undefined;
  }
}
