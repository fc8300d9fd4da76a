// Installed Ruby gems: the specification that RubyGems writes below `specifications` for each.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { isPackageName, isPackageVersion } from './coordinates.ts';
import { withoutPlatform } from './gemfile-lock.ts';
import { linesOf, textOf } from './lock-file.ts';

const MAX_BYTES = 4 * MiB;
const PATH = /(?:^|\/)specifications\/(?:default\/)?([^/]+)\.gemspec$/;
/** `# stub: name version platform paths`, written by RubyGems since 2.2. */
const STUB = /^# stub: (\S+) (\S+) /;
/** A string of Ruby: `"x"`, `'x'`, `%q{x}`, possibly in `Gem::Version.new(…)`. */
const TEXT = String.raw`(?:Gem::Version\.new\s*\(?\s*)?(?:"([^"#]*)"|'([^']*)'|%q\{([^}]*)\})`;
const ASSIGNMENT = new RegExp(String.raw`^\s*\w+\.(name|version|licenses?)\s*=\s*\[?\s*${TEXT}`);

export const ruby: Cataloger = {
  name: 'ruby',
  version: 1,
  matches: (path) => path.endsWith('.gemspec') && PATH.test(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readSpecification }),
};

function readSpecification(bytes: Buffer, sink: CatalogSink): void {
  let stub: RegExpExecArray | null = null;
  const assigned = new Map<string, string>();
  for (const line of linesOf(textOf(bytes))) {
    stub ??= STUB.exec(line);
    const [, field, double, single, percent] = ASSIGNMENT.exec(line) ?? [];
    const text = double ?? single ?? percent;
    if (field !== undefined && text !== undefined && !assigned.has(field)) assigned.set(field, text);
  }
  const name = stub?.[1] ?? assigned.get('name');
  const version = stub?.[2] ?? assigned.get('version') ?? versionInPath(sink.path, name);
  if (!isPackageName(name) || !isPackageVersion(version)) {
    sink.problem('the specification has no usable name and version');
    return;
  }
  const license = (assigned.get('licenses') ?? assigned.get('license'))?.slice(0, 256);
  sink.package({ kind: 'gem', name, version, ...(license ? { licenses: [license] } : {}) });
}

/** Specifications written by hand may compute the version; the file name holds it. */
function versionInPath(path: string, name: string | undefined): string | undefined {
  const file = PATH.exec(path)?.[1];
  if (file === undefined || name === undefined || !file.startsWith(`${name}-`)) return undefined;
  const version = withoutPlatform(file.slice(name.length + 1));
  return /^\d/.test(version) ? version : undefined;
}
