// Which errata of RPM distributions concern an installed package: those of its module stream, and those that name a flaw.
import type { AdvisoryFacts, AffectedPackage } from '../advisories/index.ts';
import { isCve } from './flaws.ts';

/** Bug fix, enhancement, feature and recommended updates: errata that need not be about a flaw. */
const NOT_SECURITY = /^(?:ALBA|ALEA|RHBA|RHEA|RLBA|RLEA|SUSE-FU|SUSE-RU|SUSE-OU|ELBA|ELEA)-/;

/** `.module+el8.6.0+…` and AlmaLinux's `.module_el8.6.0+…`: the release of a package that was built in a module. */
const MODULE_RELEASE = /\.module[+_]/;

/** `nodejs:18` in titles such as "Important: nodejs:18 security update". */
const STREAM = /(?<![\w.+-])([a-z0-9][\w.+-]*):([\w.+-]+)/g;

/**
 * Does a matching erratum speak of this package? Versions of two streams of a module cannot be compared (the fix of
 * nodejs:18 is not missing in nodejs:16), and the title is the only place where errata name their stream: `undecided`
 * when it does not.
 *
 * @param stream `name:stream` of the module that the installed package came from, when it came from one.
 */
export function erratumConcerns(
  version: string,
  stream: string | undefined,
  affected: AffectedPackage,
  advisory: AdvisoryFacts,
): 'yes' | 'no' | 'undecided' {
  if (NOT_SECURITY.test(advisory.id) && !advisory.aliases.some(isCve)) return 'no';
  const fixesModule = affected.ranges.some(
    ({ fixed, lastAffected }) => MODULE_RELEASE.test(fixed ?? '') || MODULE_RELEASE.test(lastAffected ?? ''),
  );
  const fromModule = stream !== undefined || MODULE_RELEASE.test(version);
  if (fixesModule !== fromModule) return 'no';
  if (!fixesModule) return 'yes';
  const named = [...advisory.summary.matchAll(STREAM)].map(([text]) => text);
  if (stream === undefined || named.length === 0) return 'undecided';
  return named.includes(stream) ? 'yes' : 'no';
}

/**
 * Does an erratum repair the minor release that the installed version was built for? Red Hat repairs one flaw in
 * several of them: curl `7.76.1-23.el9_2.4` has the fix of `7.76.1-26.el9_3.2`, though it is the lower version.
 */
export function fixesBranchOf(version: string, { ranges }: AffectedPackage): boolean {
  const branch = branchOf(version);
  return (
    branch !== undefined && ranges.some(({ fixed }) => fixed !== undefined && branchOf(fixed) === branch)
  );
}

/** `el9_2` of `7.76.1-23.el9_2.4`, `el8.9.0` of `16.20.2-4.module+el8.9.0+3747+ead8229c`. */
function branchOf(version: string): string | undefined {
  return /\.(el\d+_\d+)(?=\.|$)/.exec(version)?.[1] ?? /\.module[+_](el\d+\.\d+\.\d+)\+/.exec(version)?.[1];
}
