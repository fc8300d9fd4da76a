// Version schemes and which OSV ecosystem uses which (ossf.github.io/osv-schema, "affected[].package").
import type { VersionScheme } from '../types.ts';
import { apkScheme } from './apk.ts';
import { dpkgScheme } from './dpkg.ts';
import { mavenScheme } from './maven.ts';
import { nugetScheme } from './nuget.ts';
import { packagistScheme } from './packagist.ts';
import { pep440Scheme } from './pep440.ts';
import { pubScheme } from './pub.ts';
import { rpmScheme } from './rpm.ts';
import { rubygemsScheme } from './rubygems.ts';
import { semverScheme } from './semver.ts';

export { goToolchainVersion } from './semver.ts';

/** By ecosystem without its release suffix. Ecosystems that are absent are not decided: no guess is made for them. */
const SCHEMES: ReadonlyMap<string, VersionScheme> = new Map([
  ['Debian', dpkgScheme],
  ['Ubuntu', dpkgScheme],
  ['Echo', dpkgScheme],
  ['Alpine', apkScheme],
  ['Alpaquita', apkScheme],
  ['BellSoft Hardened Containers', apkScheme],
  ['Wolfi', apkScheme],
  ['Chainguard', apkScheme],
  ['MinimOS', apkScheme],
  ['CleanStart', apkScheme],
  ['Red Hat', rpmScheme],
  ['AlmaLinux', rpmScheme],
  ['Rocky Linux', rpmScheme],
  ['Oracle Linux', rpmScheme],
  ['Amazon Linux', rpmScheme],
  ['Fedora', rpmScheme],
  ['SUSE', rpmScheme],
  ['openSUSE', rpmScheme],
  ['Azure Linux', rpmScheme],
  ['CBL-Mariner', rpmScheme],
  ['Photon OS', rpmScheme],
  ['npm', semverScheme],
  ['Go', semverScheme],
  ['crates.io', semverScheme],
  ['PyPI', pep440Scheme],
  ['Maven', mavenScheme],
  ['NuGet', nugetScheme],
  ['RubyGems', rubygemsScheme],
  ['Packagist', packagistScheme],
  ['Pub', pubScheme],
  ['Hex', semverScheme],
  ['SwiftURL', semverScheme],
  // Upstream versions of programs, which Bitnami's records give as semantic versions.
  ['Bitnami', semverScheme],
]);

/**
 * How versions of an OSV ecosystem (`Debian:12`, `npm`) compare, or undefined when Breakwater cannot compare them:
 * then nothing may be said about the package, neither "affected" nor "clean".
 */
export function versionScheme(ecosystem: string): VersionScheme | undefined {
  const colon = ecosystem.indexOf(':');
  return SCHEMES.get(colon < 0 ? ecosystem : ecosystem.slice(0, colon));
}
