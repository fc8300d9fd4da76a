// Paths of layer entries: cleaned and confined to the root, and what whiteout names mean (OCI image-spec layer.md).

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const RESERVED = '.wh..wh.';
const ODD_COMPONENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

export interface CleanedPath {
  /** Relative, without `.` and `..`; empty for the root. */
  readonly path: string;
  /** What was odd about the stored path. With `escapes` the entry lies outside of the root. */
  readonly oddity: 'absolute' | 'parent' | 'escapes' | null;
}

/** Cleans a stored path by its text alone, as `path.Clean` does; symbolic links play no part. */
export function cleanPath(stored: string): CleanedPath {
  let path = stored.startsWith('./') ? stored.slice(2) : stored;
  if (path.endsWith('/')) path = path.slice(0, -1);
  if (path === '' || path === '.') return { path: '', oddity: stored.startsWith('/') ? 'absolute' : null };
  if (!ODD_COMPONENT.test(path)) return { path, oddity: null };

  const kept: string[] = [];
  let oddity: CleanedPath['oddity'] = stored.startsWith('/') ? 'absolute' : null;
  for (const component of stored.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') kept.push(component);
    else if (kept.pop() === undefined) return { path: '', oddity: 'escapes' };
    else oddity = 'parent';
  }
  return { path: kept.join('/'), oddity };
}

/** What an entry's name says about lower layers; undefined for an ordinary name. */
export type Whiteout =
  | { readonly type: 'whiteout' | 'opaque'; readonly target: string }
  /** Reserved by AUFS (`.wh..wh.plnk`, …): means nothing in a layer. */
  | { readonly type: 'reserved' }
  /** `.wh.`, `.wh..`, `.wh...`: names nothing that can be removed. */
  | { readonly type: 'invalid' };

/** Reads a cleaned path as a whiteout, if it is one. The type of the entry plays no part, as in the runtimes. */
export function parseWhiteout(path: string): Whiteout | undefined {
  const baseStart = path.lastIndexOf('/') + 1;
  if (!path.startsWith(WHITEOUT, baseStart)) return undefined;
  const base = path.slice(baseStart);
  const directory = path.slice(0, Math.max(0, baseStart - 1));
  if (base === OPAQUE) return { type: 'opaque', target: directory };
  if (base.startsWith(RESERVED)) return { type: 'reserved' };
  const name = base.slice(WHITEOUT.length);
  if (name === '' || name === '.' || name === '..') return { type: 'invalid' };
  return { type: 'whiteout', target: directory === '' ? name : `${directory}/${name}` };
}
