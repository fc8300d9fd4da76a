// os-release(5) to the OSV ecosystem keys that hold a distribution's advisories.

import { rpmEcosystems } from './rpm-distribution.ts';

/** The parts of os-release that decide. */
export interface OsRelease {
  /** `ID`. */
  readonly id: string;
  /** `VERSION_ID`; null where a rolling release gives none. */
  readonly versionId: string | null;
  /** `VERSION_CODENAME`, which Debian testing and unstable give instead of a version. */
  readonly codename?: string | null;
  /** `PRETTY_NAME`. */
  readonly prettyName?: string;
}

/** Debian releases by codename, for images whose os-release has no VERSION_ID yet. */
const DEBIAN_CODENAMES: Readonly<Record<string, string>> = {
  buster: '10',
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
  forky: '14',
};

/**
 * The OSV ecosystem keys of a distribution release, most specific first; empty means that there is no data for it and
 * nothing may be concluded. A key is no promise of data: compare with `AdvisoryFile.ecosystems()`. Derivatives are not
 * taken for their parents, because they rebuild packages under other versions; CentOS is, because it keeps Red Hat's.
 * Keys of which `subscriptionOf` gives a name come last: their fixes are for subscribers.
 */
export function distributionEcosystem(release: OsRelease): readonly string[] {
  const version = release.versionId?.trim() ?? '';
  const major = /^\d+/.exec(version)?.[0];
  switch (release.id.trim().toLowerCase()) {
    case 'debian':
      return debian(release, major);
    case 'ubuntu':
      return ubuntu(version);
    case 'alpine':
      return alpine(version, release.prettyName ?? '');
    case 'alpaquita':
      return [`Alpaquita:${major ?? 'stream'}`];
    case 'wolfi':
      return ['Wolfi'];
    case 'chainguard':
      return ['Chainguard'];
    case 'cleanstart':
      return ['CleanStart'];
    default:
      return rpmEcosystems(release.id.trim().toLowerCase(), version);
  }
}

function debian(release: OsRelease, major: string | undefined): readonly string[] {
  const byName = DEBIAN_CODENAMES[release.codename?.trim() ?? ''] ?? codenameInName(release.prettyName ?? '');
  const number = major ?? byName;
  return number === undefined ? [] : [`Debian:${number}`];
}

function codenameInName(prettyName: string): string | undefined {
  for (const [codename, number] of Object.entries(DEBIAN_CODENAMES)) {
    if (prettyName.includes(codename)) return number;
  }
  return undefined;
}

/** April releases of even years are long-term ones: they carry `:LTS` in their key, and Ubuntu Pro has more fixes for them. */
function ubuntu(version: string): readonly string[] {
  const match = /^(\d{2})\.(\d{2})/.exec(version);
  if (match === null) return [];
  const [, year = '', month = ''] = match;
  const longTerm = month === '04' && Number(year) % 2 === 0;
  const key = `${year}.${month}${longTerm ? ':LTS' : ''}`;
  return longTerm ? [`Ubuntu:${key}`, `Ubuntu:Pro:${key}`] : [`Ubuntu:${key}`];
}

/** Pre-releases such as `3.21.0_alpha20240923` are edge. */
function alpine(version: string, prettyName: string): readonly string[] {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (version === 'edge' || version.includes('_alpha') || /\bedge\b/.test(prettyName)) return ['Alpine:edge'];
  return match === null ? [] : [`Alpine:v${match[1]}.${match[2]}`];
}
