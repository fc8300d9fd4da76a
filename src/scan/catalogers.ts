// Every cataloger, in alphabetical order; the joined names and versions are part of the key of cached layer results.
import type { Cataloger } from './cataloger.ts';
import { CatalogerTable } from './cataloger-table.ts';
import { apk } from './packages/apk.ts';
import { composer } from './packages/composer.ts';
import { conda } from './packages/conda.ts';
import { dpkg } from './packages/dpkg.ts';
import { dotnetDeps } from './packages/dotnet/deps-file.ts';
import { goBinary } from './packages/go-binary.ts';
import { java } from './packages/java/cataloger.ts';
import { lockFiles } from './packages/lock-files.ts';
import { npm } from './packages/npm.ts';
import { osRelease } from './packages/os-release.ts';
import { program, programText } from './packages/program/cataloger.ts';
import { python } from './packages/python.ts';
import { rpm } from './packages/rpm/index.ts';
import { ruby } from './packages/ruby.ts';
import { rustBinary } from './packages/rust-binary.ts';

export const catalogers: readonly Cataloger[] = [
  apk,
  composer,
  conda,
  dotnetDeps,
  dpkg,
  goBinary,
  java,
  npm,
  osRelease,
  program,
  programText,
  python,
  rpm,
  ruby,
  rustBinary,
  ...lockFiles,
];

/** Form of the layer results themselves; raise it when `layer.ts` would find something else in the same layer. */
const LAYER_FORM = 1;

/** Names and versions of all catalogers of images: results made by another set are not used again. */
export const catalogerVersions: string = [
  `layer@${LAYER_FORM}`,
  ...catalogers.filter(countsIn('image')).map((cataloger) => `${cataloger.name}@${cataloger.version}`),
].join(' ');

/** What is scanned: an image or a root file system, where only what is installed counts, or a project folder. */
export type ScanScope = 'image' | 'directory';

/** The catalogers that count in each scope. */
export const catalogerTables: Readonly<Record<ScanScope, CatalogerTable>> = {
  image: new CatalogerTable(catalogers.filter(countsIn('image'))),
  directory: new CatalogerTable(catalogers.filter(countsIn('directory'))),
};

function countsIn(scope: ScanScope): (cataloger: Cataloger) => boolean {
  return (cataloger) => (cataloger.scope ?? 'both') === 'both' || cataloger.scope === scope;
}
