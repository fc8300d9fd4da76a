// The version a Go program was given at link time: `-ldflags="-X main.version=v1.2.3"` among its build settings.

/** Longest flags that are looked at. */
const MAX_FLAGS = 16 * 1024;
const VERSION_NAMES = new Set(['version', 'appversion', 'buildversion', 'gitversion', 'releaseversion']);
const SEMANTIC = /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/;

/**
 * The version that the linker set in a variable named like one, of package main or of the main module; undefined when
 * there is none that looks like a semantic version, or several that differ. `lines` are those of the build information.
 */
export function linkerVersion(lines: string, mainModule: string): string | undefined {
  const flags = /^build\t-ldflags=(.*)$/m.exec(lines)?.[1];
  if (flags === undefined || flags.length > MAX_FLAGS) return undefined;
  const versions = new Set<string>();
  for (const [, name = '', value = ''] of unquoted(flags).matchAll(
    /(?:^|[\s'"])-X[\s=]+['"]?([^\s'"=]+)=([^\s'"]*)/g,
  )) {
    const dot = name.lastIndexOf('.');
    const owner = name.slice(0, Math.max(0, dot));
    const own = owner === 'main' || owner === mainModule || owner.startsWith(`${mainModule}/`);
    const version = SEMANTIC.exec(value)?.[1];
    if (own && version !== undefined && VERSION_NAMES.has(name.slice(dot + 1).toLowerCase()))
      versions.add(`v${version}`);
  }
  const [only, ...others] = versions;
  return others.length === 0 ? only : undefined;
}

/** Settings with spaces are quoted as Go quotes strings, nearly always a JSON string. */
function unquoted(flags: string): string {
  if (flags.startsWith('`')) return flags.slice(1, -1);
  if (!flags.startsWith('"')) return flags;
  try {
    const text: unknown = JSON.parse(flags);
    return typeof text === 'string' ? text : flags;
  } catch {
    return flags;
  }
}
