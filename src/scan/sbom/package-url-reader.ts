// Reads package URLs (purl-spec, "How to parse a purl string") and compares one with the package of a finding.

/** The parts of a package URL, decoded. */
export interface PackageUrl {
  readonly type: string;
  /** Segments joined by `/`; empty where there is none. */
  readonly namespace: string;
  readonly name: string;
  readonly version: string | null;
  readonly qualifiers: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 4_096;

/** The parts of a package URL, or undefined when the text is none. Never throws. */
export function parsePackageUrl(text: string): PackageUrl | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = /^pkg:\/*([A-Za-z][A-Za-z0-9.+-]*)\/([^?#]*)(?:\?([^#]*))?(?:#.*)?$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const path = match[2];
  const at = versionStart(path);
  const segments = (at < 0 ? path : path.slice(0, at)).split('/').filter(Boolean).map(decode);
  const version = at < 0 ? undefined : decode(path.slice(at + 1));
  const qualifiers = qualifiersOf(match[3] ?? '');
  if (segments.includes(undefined) || (at >= 0 && version === undefined) || qualifiers === undefined)
    return undefined;
  const decoded = segments.filter((segment) => segment !== undefined);
  const name = decoded.pop();
  if (name === undefined || name === '') return undefined;
  return {
    type: match[1].toLowerCase(),
    namespace: decoded.join('/'),
    name,
    version: version ?? null,
    qualifiers,
  };
}

/** The last `@` of the last segment; the `@` of an npm scope is in front of a slash, or encoded. */
function versionStart(path: string): number {
  const at = path.lastIndexOf('@');
  return at > 0 && path[at - 1] !== '/' && !path.slice(at).includes('/') ? at : -1;
}

function qualifiersOf(text: string): ReadonlyMap<string, string> | undefined {
  const qualifiers = new Map<string, string>();
  for (const pair of text.split('&').filter(Boolean)) {
    const equals = pair.indexOf('=');
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (value === undefined) return undefined;
    if (value !== '') qualifiers.set(pair.slice(0, equals).toLowerCase(), value);
  }
  return qualifiers;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Does `wanted` speak of the package with the URL `actual`? Type, namespace and name must be the same, and everything
 * else that `wanted` says. With `arch=source` it speaks of the source package, whose name is `sourcePackage`.
 */
export function matchesPackage(wanted: string, actual: string, sourcePackage: string | null): boolean {
  if (wanted === actual) return true;
  const want = parsePackageUrl(wanted);
  const have = parsePackageUrl(actual);
  if (want === undefined || have === undefined || want.type !== have.type) return false;
  const isSource = want.qualifiers.get('arch') === 'source';
  const name = isSource ? sourcePackage : have.name;
  if (folded(want.namespace, want.type) !== folded(have.namespace, have.type)) return false;
  if (name === null || folded(want.name, want.type) !== folded(name, have.type)) return false;
  if (want.version !== null && want.version !== have.version) return false;
  for (const [key, value] of want.qualifiers) {
    if (isSource && key === 'arch') continue;
    if (!IDENTIFYING.has(key)) continue;
    if (have.qualifiers.get(key) !== value) return false;
  }
  return true;
}

/** Qualifiers that tell packages apart; others (checksums, download addresses) only describe. */
const IDENTIFYING = new Set(['arch', 'distro', 'epoch', 'classifier', 'type']);

/** Types whose names do not tell upper from lower case (purl-spec type definitions). */
const CASELESS = new Set([
  'apk',
  'deb',
  'rpm',
  'pypi',
  'npm',
  'golang',
  'composer',
  'nuget',
  'oci',
  'hex',
  'pub',
]);

function folded(name: string, type: string): string {
  const lower = CASELESS.has(type) ? name.toLowerCase() : name;
  return type === 'pypi' ? lower.replaceAll('_', '-') : lower;
}
