// Gemfile.lock and gems.locked (Bundler): the gems below `specs:` of each remote source.
import type { CatalogSink } from '../cataloger.ts';
import { linesOf, PackageRows, textOf } from './lock-file.ts';

/** `    rack (2.0.7)`, with four spaces; deeper lines are dependencies. */
const SPEC = /^ {4}([^\s()]+) \(([^\s()]+)\)$/;

/** Gems below PATH are the project's own. */
export function readGemfileLock(bytes: Buffer, sink: CatalogSink): void {
  const rows = new PackageRows('gem', sink);
  let section = '';
  for (const line of linesOf(textOf(bytes))) {
    if (/^[A-Z]/.test(line)) section = line;
    if (section !== 'GEM' && section !== 'GIT' && section !== 'PLUGIN SOURCE') continue;
    const spec = SPEC.exec(line);
    if (spec !== null) rows.add(spec[1], withoutPlatform(spec[2] ?? ''));
  }
  rows.finish();
}

/** `1.15.0-x86_64-linux` is version 1.15.0 for one platform: gem versions hold no dash of their own. */
export function withoutPlatform(version: string): string {
  const dash = version.indexOf('-');
  return dash > 0 ? version.slice(0, dash) : version;
}
