// Elixir's mix.lock: one line for each dependency, `"name": {:hex, :package, "1.2.3", …}`.
import type { CatalogSink } from '../cataloger.ts';
import { linesOf, PackageRows, textOf } from './lock-file.ts';

const HEX = /^\s*"?[\w.@-]+"?\s*(?::|=>)\s*\{:hex,\s*:"?([\w.@-]+)"?,\s*"([^"]*)"/;

/** Dependencies from repositories of source code are not packages of Hex, and are left out. */
export function readMixLock(bytes: Buffer, sink: CatalogSink): void {
  const text = textOf(bytes);
  if (!text.trimStart().startsWith('%{')) {
    sink.problem('not a map of Elixir');
    return;
  }
  const rows = new PackageRows('hex', sink);
  for (const line of linesOf(text)) {
    const match = HEX.exec(line);
    if (match !== null) rows.add(match[1], match[2]);
  }
  rows.finish();
}
