// Cargo.lock, versions 1 to 4 (doc.rust-lang.org/cargo, "Cargo.toml vs Cargo.lock").
import type { CatalogSink } from '../cataloger.ts';
import { PackageRows, textOf } from './lock-file.ts';
import { readTomlTables } from './toml-tables.ts';

/** Crates without a source are the project's own. */
export function readCargoLock(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('cargo', sink);
  for (const table of readTomlTables(textOf(bytes), 'package')) {
    if (table.has('source')) rows.add(table.get('name'), table.get('version'));
  }
  rows.finish();
}
