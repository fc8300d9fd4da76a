// Turns a tar entry with its extensions applied into a layer entry, reporting what is wrong with its path.
import type { LayerEntry } from '../types.ts';
import { cleanPath, parseWhiteout } from './entry-path.ts';
import type { LayerLimits } from './limits.ts';
import type { ProblemList } from './problem-list.ts';

/** What the headers of one entry say. */
export interface StoredEntry {
  readonly name: string;
  readonly linkName: string;
  readonly typeFlag: number;
  /** Bytes of content after unpacking. */
  readonly size: number;
  readonly mode: number;
}

/** The entry for visitors; null when it is the root directory or when nothing may be made of it. */
export function entryFrom(
  stored: StoredEntry,
  limits: LayerLimits,
  problems: ProblemList,
): LayerEntry | null {
  const { name, mode } = stored;
  const type = entryType(stored.typeFlag);
  if (name.includes('\0') || stored.linkName.includes('\0')) {
    problems.add(
      'OCI_LAYER_PATH_INVALID',
      'an entry whose name contains NUL was skipped',
      name.replaceAll('\0', '␀'),
    );
    return null;
  }
  const { path, oddity } = cleanPath(name);
  if (oddity === 'escapes') {
    problems.add('OCI_LAYER_PATH_ESCAPES', 'an entry outside of the root directory was skipped', name);
    return null;
  }
  if (oddity === 'parent') {
    problems.add('OCI_LAYER_PATH_PARENT', `a path with ".." was read as "${path.slice(0, 256)}"`, name);
  } else if (oddity === 'absolute') {
    const message = 'entries have absolute paths; they were read as relative to the root directory';
    problems.addOnce('OCI_LAYER_PATH_ABSOLUTE', message, name);
  }
  if (path === '') {
    if (type !== 'directory')
      problems.add('OCI_LAYER_PATH_INVALID', `a ${type} without a path was skipped`, name);
    return null;
  }
  if (path.length > limits.maxPathLength) {
    problems.add('OCI_LAYER_PATH_INVALID', `a path of ${path.length} characters was skipped`, path);
    return null;
  }
  return path.includes('.wh.')
    ? whiteoutFrom(stored, path, type, problems)
    : plainEntry(stored, path, type, mode);
}

function whiteoutFrom(
  stored: StoredEntry,
  path: string,
  type: LayerEntry['type'],
  problems: ProblemList,
): LayerEntry | null {
  const whiteout = parseWhiteout(path);
  if (whiteout === undefined) return plainEntry(stored, path, type, stored.mode);
  switch (whiteout.type) {
    case 'invalid':
      problems.add('OCI_LAYER_PATH_INVALID', 'a whiteout that names nothing was skipped', path);
      return null;
    case 'reserved':
      return { path, type: 'other', target: null, linkName: null, size: 0, mode: stored.mode };
    default:
      return {
        path,
        type: whiteout.type,
        target: whiteout.target,
        linkName: null,
        size: 0,
        mode: stored.mode,
      };
  }
}

function plainEntry(stored: StoredEntry, path: string, type: LayerEntry['type'], mode: number): LayerEntry {
  const isLink = type === 'symlink' || type === 'hardlink';
  return {
    path,
    type,
    target: null,
    linkName: isLink ? stored.linkName : null,
    size: type === 'file' ? stored.size : 0,
    mode,
  };
}

/** Regular files are '0', NUL (v7), '7' (contiguous) and 'S' (GNU sparse); what is not known is `other`. */
function entryType(typeFlag: number): LayerEntry['type'] {
  switch (typeFlag) {
    case 0x30:
    case 0x00:
    case 0x37:
    case 0x53:
      return 'file';
    case 0x31:
      return 'hardlink';
    case 0x32:
      return 'symlink';
    case 0x35:
      return 'directory';
    default:
      return 'other';
  }
}
