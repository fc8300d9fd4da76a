// Checks of the machine: Node.js, memory, programs that push and pull images.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { totalmem } from 'node:os';
import { GiB } from '../../core/index.ts';
import { type CheckContext, type CheckResult, fail, ok, warn } from './check.ts';

const NEEDED_NODE = 24;
/** Server, embedded database and one scan process. */
const COMFORTABLE_BYTES = GiB;
const TOOLS = ['skopeo', 'podman', 'buildah', 'docker', 'oras'];

export function checkNode(): CheckResult {
  const { version } = process;
  if (Number(/^v(\d+)/.exec(version)?.[1]) >= NEEDED_NODE) return ok('Node.js', version);
  return fail(
    'Node.js',
    `${version} is too old`,
    `Run "npm ci" in the repository, or install Node.js ${NEEDED_NODE}.`,
  );
}

export function checkMemory(): CheckResult {
  const total = totalmem();
  const text = `${(total / GiB).toFixed(1)} GiB`;
  if (total >= COMFORTABLE_BYTES) return ok('memory', text);
  return warn(
    'memory',
    `${text} is little`,
    'Give the machine 1 GiB or more, or use a PostgreSQL server elsewhere (DATABASE_URL).',
  );
}

export function checkTools({ searchPath }: CheckContext): CheckResult {
  const found = TOOLS.filter((tool) =>
    searchPath.split(delimiter).some((folder) => isExecutable(join(folder, tool))),
  );
  if (found.length > 0) return ok('image tools', found.join(', '));
  return warn(
    'image tools',
    'none of the programs that push images is installed',
    `Install one, e.g. "apt install skopeo" (any of ${TOOLS.join(', ')}).`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
