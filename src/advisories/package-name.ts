// Package names as look-up keys: two spellings that a package manager treats as one name give one key.

/** Longest name kept, in characters; longer ones are no package of any ecosystem. */
export const MAX_NAME_LENGTH = 512;

/**
 * The look-up key of a package name. PyPI: PEP 503. NuGet, Packagist and GitHub Actions do not tell upper from lower
 * case; SwiftURL neither, and there the scheme and the ending of the address do not count. All others (npm, Go, crates.io, distributions) are exact. `ecosystem` may carry a release suffix.
 */
export function normalizePackageName(ecosystem: string, name: string): string {
  const trimmed = name.trim().slice(0, MAX_NAME_LENGTH);
  const colon = ecosystem.indexOf(':');
  switch (colon < 0 ? ecosystem : ecosystem.slice(0, colon)) {
    case 'PyPI':
      return trimmed.toLowerCase().replace(/[-_.]+/g, '-');
    case 'NuGet':
    case 'Packagist':
    case 'GitHub Actions':
      return trimmed.toLowerCase();
    case 'SwiftURL':
      return trimmed
        .toLowerCase()
        .replace(/^(?:https?|ssh|git):\/\/(?:git@)?/, '')
        .replace(/^git@([^:/]+):/, '$1/')
        .replace(/(?:\.git)?\/?$/, '');
    default:
      return trimmed;
  }
}
