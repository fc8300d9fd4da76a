// The programs that tests and benches use beside Node, and where each is looked for.
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Programs that tests run against, each with what is skipped without it. */
export const TEST_TOOLS: Readonly<Record<string, string>> = {
  skopeo: 'pushes and pulls with skopeo',
  podman: 'pushes and pulls with podman',
  buildah: 'pushes and pulls with buildah',
  umoci: 'images built with umoci',
  debootstrap: 'the Debian root filesystem image',
  'docker-registry': 'the registry client against Distribution, and the registry bench',
  wrk: 'the registry bench',
  zstd: 'layers compressed by the zstd program',
  rpmbuild: 'RPM versions and databases against rpm itself',
  db_load: 'Berkeley DB databases of RPM',
  ruby: 'versions and gems beside RubyGems',
  php: "versions beside Composer's own order",
  initdb: 'everything on a real PostgreSQL',
  oras: 'pushes and attachments with oras',
};

/** Where the program lies, or undefined when it is not installed. */
export function findTool(name: string): string | undefined {
  for (const directory of searchPath()) {
    const candidate = join(directory, name);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

/** Directories in which tools are looked for: PATH, sbin, the newest PostgreSQL, and the tools' own cache. */
export function searchPath(): string[] {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    ...postgresqlDirectories(),
    join(cache, 'breakwater-test-tools'),
  ].filter((directory) => directory !== '');
}

function postgresqlDirectories(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'));
}
