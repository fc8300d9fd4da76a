// Python lock files: poetry.lock, uv.lock, pdm.lock, pylock.toml (PEP 751), Pipfile.lock, and pins of requirements.txt.
import type { CatalogSink } from '../cataloger.ts';
import { isJsonObject, membersOf, readJsonObject } from './json-object.ts';
import { linesOf, PackageRows, textOf } from './lock-file.ts';
import { readTomlTables, type TomlTable } from './toml-tables.ts';

export function readPoetryLock(bytes: Buffer, sink: CatalogSink): void {
  readTables(readTomlTables(textOf(bytes), 'package'), sink);
}

export function readPylock(bytes: Buffer, sink: CatalogSink): void {
  // Packages from folders and archives may have no version.
  const tables = readTomlTables(textOf(bytes), 'packages').filter((table) => table.has('version'));
  readTables(tables, sink);
}

/** uv: what is edited in place or has no code of its own is the project itself. */
export function readUvLock(bytes: Buffer, sink: CatalogSink): void {
  const own = /^\{\s*(?:editable|virtual|directory)\s*=/;
  const tables = readTomlTables(textOf(bytes), 'package');
  readTables(
    tables.filter((table) => !own.test(table.get('source') ?? '')),
    sink,
  );
}

function readTables(tables: readonly TomlTable[], sink: CatalogSink): void {
  const rows = new PackageRows('pypi', sink);
  for (const table of tables) rows.add(table.get('name'), table.get('version'));
  rows.finish();
}

/** `default` and `develop` map names to `{"version": "==1.2.3"}`; what comes from a repository has no version. */
export function readPipfileLock(bytes: Buffer, sink: CatalogSink): void {
  const content = readJsonObject(bytes, sink);
  if (content === undefined) return;
  const rows = new PackageRows('pypi', sink);
  for (const [group, entries] of Object.entries(content)) {
    if (group === '_meta') continue;
    for (const [name, entry] of membersOf(entries)) {
      const version = isJsonObject(entry) ? entry['version'] : undefined;
      if (typeof version === 'string') rows.add(name, version.replace(/^={2,3}\s*/, ''));
    }
  }
  rows.finish();
}

/** `name[extras]==version`, with a marker, options or a comment after it (PEP 508, pip's requirements file format). */
const PIN =
  /^([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*={2,3}[ \t]*([^\s;,#*\\]+)[ \t]*(?:[;#\\]|--|$)/;

/** Only exact pins say what will be installed; all other lines say what may be. */
export function readRequirements(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('pypi', sink);
  for (const line of linesOf(textOf(bytes))) {
    const pin = PIN.exec(line.trim());
    if (pin !== null) rows.add(pin[1], pin[2]);
  }
  rows.finish();
}
