// Package URLs (purl-spec: PURL-SPECIFICATION and its type definitions).
import type { CatalogedPackage, DistributionRelease } from './types.ts';

/** What a Go module's version is when it was built from a working copy: not a version. */
const UNKNOWN_VERSION = '(devel)';

/** The package URL of a package, with architecture and distribution qualifiers for operating-system packages. */
export function packageUrl(item: CatalogedPackage, distribution: DistributionRelease | null): string {
  switch (item.kind) {
    case 'dpkg':
      return systemUrl('deb', item, distribution);
    case 'apk':
      return systemUrl('apk', item, distribution);
    case 'npm':
      return `pkg:npm/${segments(item.name.toLowerCase())}${versionOf(item.version)}`;
    case 'pypi':
      return `pkg:pypi/${encode(item.name.toLowerCase().replaceAll('_', '-'))}${versionOf(item.version)}`;
    case 'golang':
      return `pkg:golang/${segments(item.name.toLowerCase())}${versionOf(item.version)}`;
    case 'rpm':
      return rpmUrl(item, distribution);
    case 'maven':
      return `pkg:maven/${segments(item.name.replace(':', '/'))}${versionOf(item.version)}`;
    case 'swift':
      return `pkg:swift/${segments(item.name)}${versionOf(item.version)}`;
    case 'composer':
    case 'hex':
    case 'pub':
      return `pkg:${item.kind}/${segments(item.name.toLowerCase())}${versionOf(item.version)}`;
    case 'nuget':
    case 'gem':
    case 'cargo':
    case 'conda':
      return `pkg:${item.kind}/${encode(item.name)}${versionOf(item.version)}`;
    case 'program':
      return `pkg:generic/${encode(item.name)}${versionOf(item.version)}`;
  }
}

function systemUrl(type: string, item: CatalogedPackage, distribution: DistributionRelease | null): string {
  const namespace = distribution ? `${encode(distribution.id)}/` : '';
  const qualifiers = [
    ...(item.architecture === undefined ? [] : [`arch=${encode(item.architecture)}`]),
    ...(distribution?.versionId ? [`distro=${encode(`${distribution.id}-${distribution.versionId}`)}`] : []),
  ];
  const query = qualifiers.length > 0 ? `?${qualifiers.join('&')}` : '';
  return `pkg:${type}/${namespace}${encode(item.name.toLowerCase())}${versionOf(item.version)}${query}`;
}

/** Package URLs carry the epoch of an RPM as a qualifier, between those of architecture and distribution. */
function rpmUrl(item: CatalogedPackage, distribution: DistributionRelease | null): string {
  const [, epoch, version = item.version] = /^(\d+):(.*)$/.exec(item.version) ?? [];
  const url = systemUrl('rpm', { ...item, version }, distribution);
  if (epoch === undefined) return url;
  const [base = '', query = ''] = url.split('?', 2);
  const qualifiers = [...query.split('&').filter(Boolean), `epoch=${epoch}`].toSorted();
  return `${base}?${qualifiers.join('&')}`;
}

function versionOf(version: string): string {
  return version === UNKNOWN_VERSION ? '' : `@${encode(version)}`;
}

function segments(name: string): string {
  return name.split('/').filter(Boolean).map(encode).join('/');
}

/** Percent-encoding of purl: everything but letters, digits, `.-_~` and the colon; lone surrogates were refused before. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
