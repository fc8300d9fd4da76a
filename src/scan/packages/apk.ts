// apk's installed database (apk-tools, "Apk spec" v2): blocks of `X:value` lines; `o:` origin, `F:` folder, `R:` file.
import { MiB } from '../../core/index.ts';
import type { Cataloger, CatalogSink } from '../cataloger.ts';
import { isPackageName, isPackageVersion, quote } from './coordinates.ts';

const DATABASES = new Set(['lib/apk/db/installed', 'usr/lib/apk/db/installed']);
const MAX_BYTES = 64 * MiB;

export const apk: Cataloger = {
  name: 'apk',
  version: 1,
  matches: (path) => DATABASES.has(path),
  reading: () => ({ how: 'whole', limit: MAX_BYTES, read: readInstalled }),
};

interface Block {
  name?: string;
  version?: string;
  architecture?: string;
  origin?: string;
  license?: string;
  folder: string;
  lines: number;
}

function readInstalled(bytes: Buffer, sink: CatalogSink): void {
  const text = bytes.toString('utf8');
  let block: Block = { folder: '', lines: 0 };
  let malformed = 0;
  let incomplete = 0;
  let example = '';
  const finish = (): void => {
    if (block.lines > 0 && !emit(block, sink)) {
      incomplete++;
      example ||= block.name ?? block.version ?? '';
    }
    block = { folder: '', lines: 0 };
  };
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const line = text.slice(start, end);
    if (line.trim() === '') finish();
    else if (line.charCodeAt(1) !== 0x3a) malformed++;
    else take(block, line.slice(0, 1), line.slice(2).trim(), sink);
    start = end + 1;
  }
  finish();
  if (incomplete > 0) {
    sink.problem(
      `${incomplete} entries have no usable package name and version, one of them ${quote(example)}`,
    );
  }
  if (malformed > 0) sink.problem(`${malformed} lines are not "X:value"`);
}

function take(block: Block, key: string, value: string, sink: CatalogSink): void {
  block.lines++;
  if (key === 'P') block.name = value;
  else if (key === 'V') block.version = value;
  else if (key === 'A') block.architecture = value;
  else if (key === 'o') block.origin = value;
  else if (key === 'L') block.license = value;
  else if (key === 'F') block.folder = value.replace(/^\//, '');
  else if (key === 'R' && isPackageName(block.name)) {
    sink.owns(block.name, block.folder === '' ? value : `${block.folder}/${value}`);
  }
}

function emit(block: Block, sink: CatalogSink): boolean {
  const { name, version, origin, architecture, license } = block;
  if (!isPackageName(name) || !isPackageVersion(version)) return false;
  sink.package({
    kind: 'apk',
    name,
    version,
    source: { name: isPackageName(origin) ? origin : name, version },
    ...(isPackageName(architecture) ? { architecture } : {}),
    ...(license === undefined || license === '' ? {} : { licenses: [license.slice(0, 256)] }),
  });
  return true;
}
