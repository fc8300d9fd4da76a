// Where the program of the database process is: beside this file from source, beside the bundle when bundled.
import { fileURLToPath } from 'node:url';

/** File name that the build gives the bundled database process. */
export const BUNDLED_CHILD = 'embedded-child.js';

export function childLocation(moduleUrl: string = import.meta.url): string {
  const name = moduleUrl.endsWith('.ts') ? './child.ts' : `./${BUNDLED_CHILD}`;
  return fileURLToPath(new URL(name, moduleUrl));
}
