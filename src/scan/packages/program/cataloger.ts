// Programs without package data: executables by patterns in their bytes, distributions of programs by their version files.
import { KiB } from '../../../core/index.ts';
import type { Cataloger, CatalogSink } from '../../cataloger.ts';
import { isPackageVersion } from '../coordinates.ts';
import { ProgramSearch } from './search.ts';
import { isProgramName, programPatterns, programTexts } from './table.ts';

const MAX_TEXT_BYTES = 64 * KiB;

/** The name of the file decides whether it is searched at all. */
export const program: Cataloger = {
  name: 'program',
  version: 1,
  broad: true,
  matches: isProgramName,
  reading: ({ path }) => ({
    how: 'stream',
    open: (sink) => new ProgramSearch(programPatterns(path), sink),
  }),
};

/** `release` of a Java runtime, `VERSION` of Go, `OTP_VERSION` of Erlang. */
export const programText: Cataloger = {
  name: 'program-text',
  version: 1,
  fileNames: programTexts.map((text) => text.fileName),
  matches: (path) => programTexts.some((text) => text.path.test(path)),
  reading: ({ size }) =>
    size > MAX_TEXT_BYTES ? undefined : { how: 'whole', limit: MAX_TEXT_BYTES, read: readText },
};

/** A file of that name with other content is none of the program's. */
function readText(bytes: Buffer, sink: CatalogSink): void {
  const content = bytes.toString('utf8');
  for (const { name, path, version } of programTexts) {
    if (!path.test(sink.path)) continue;
    const found = version.exec(content)?.[1];
    if (isPackageVersion(found)) sink.package({ kind: 'program', name, version: found });
  }
}
