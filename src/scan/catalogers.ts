// Every cataloger, in alphabetical order; the joined names and versions are part of the key of cached layer results.
import type { Cataloger } from './cataloger.ts';
import { apk } from './packages/apk.ts';
import { dpkg } from './packages/dpkg.ts';
import { goBinary } from './packages/go-binary.ts';
import { npm } from './packages/npm.ts';
import { osRelease } from './packages/os-release.ts';
import { python } from './packages/python.ts';

export const catalogers: readonly Cataloger[] = [apk, dpkg, goBinary, npm, osRelease, python];

/** Form of the layer results themselves; raise it when `layer.ts` would find something else in the same layer. */
const LAYER_FORM = 1;

/** Names and versions of all catalogers: results made by another set are not used again. */
export const catalogerVersions: string = [
  `layer@${LAYER_FORM}`,
  ...catalogers.map((cataloger) => `${cataloger.name}@${cataloger.version}`),
].join(' ');
