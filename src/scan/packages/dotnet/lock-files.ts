// .NET project files that pin packages: `packages.lock.json` and `packages.config` (NuGet documentation).
import type { CatalogSink } from '../../cataloger.ts';
import { isJsonObject, membersOf, readJsonObject } from '../json-object.ts';
import { PackageRows, textOf } from '../lock-file.ts';

const MAX_PACKAGES = 50_000;

/** `dependencies` holds, for each target framework, the packages resolved for it; the same one is told once. */
export function readNugetLock(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('nuget', sink);
  let count = 0;
  for (const [, framework] of membersOf(readJsonObject(bytes, sink)?.['dependencies'])) {
    for (const [id, entry] of membersOf(framework)) {
      if (!isJsonObject(entry) || entry['type'] === 'Project' || ++count > MAX_PACKAGES) continue;
      rows.add(id, entry['resolved']);
    }
  }
  rows.finish();
}

/** `<package id="…" version="…" />`; packages for development only are left out. */
export function readPackagesConfig(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('nuget', sink);
  let count = 0;
  for (const [, attributes = ''] of withoutComments(textOf(bytes)).matchAll(/<package\s([^<>]{1,4096})>/gi)) {
    if (++count > MAX_PACKAGES) break;
    const values = new Map<string, string>();
    for (const [, name = '', , value = ''] of attributes.matchAll(/([A-Za-z]+)\s*=\s*(["'])([^"']*)\2/g))
      values.set(name.toLowerCase(), value);
    if (values.get('developmentdependency')?.toLowerCase() === 'true') continue;
    rows.add(values.get('id'), values.get('version'));
  }
  rows.finish();
}

/** An unfinished comment reaches to the end. */
function withoutComments(text: string): string {
  let kept = '';
  for (let at = 0; ; ) {
    const start = text.indexOf('<!--', at);
    if (start < 0) return kept + text.slice(at);
    kept += text.slice(at, start);
    const end = text.indexOf('-->', start + 4);
    if (end < 0) return kept;
    at = end + 3;
  }
}
