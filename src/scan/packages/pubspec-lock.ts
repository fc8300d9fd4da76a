// Dart's pubspec.lock: a map of the packages of each application.
import type { CatalogSink } from '../cataloger.ts';
import { readIndentedEntries } from './indented-entries.ts';
import { PackageRows, textOf } from './lock-file.ts';

/** Packages of the SDK and of folders have no version of their own. */
export function readPubspecLock(bytes: Buffer, sink: CatalogSink): void {
  const text = textOf(bytes);
  if (!/^packages:/m.test(text)) {
    sink.problem('no map of packages');
    return;
  }
  const rows = new PackageRows('pub', sink);
  for (const { key, fields } of readIndentedEntries(text, 'packages')) {
    const source = fields.get('source');
    if (source !== 'sdk' && source !== 'path') rows.add(key, fields.get('version'));
  }
  rows.finish();
}
