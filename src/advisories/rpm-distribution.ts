// OSV ecosystem keys of the RPM distributions, how their advisories name packages, and which fixes need a subscription.

/**
 * Repositories that Red Hat's keys end with (from the CPE of the product). An image does not tell which of them a
 * package came from, so all are asked; extended-update streams (`rhel_eus`, `rhel_e4s`) have versions of their own
 * and are not.
 */
const RED_HAT_REPOSITORIES = [
  'baseos',
  'appstream',
  'crb',
  'highavailability',
  'nfv',
  'realtime',
  'supplementary',
];
const RED_HAT_7_REPOSITORIES = ['server', 'client', 'workstation', 'computenode'];

/** Modules that SUSE's base container images take packages from. */
const SUSE_MODULES = [
  'Basesystem',
  'Containers',
  'Desktop Applications',
  'Development Tools',
  'Legacy',
  'Public Cloud',
  'Python 3',
  'Server Applications',
  'Web and Scripting',
];

/** The keys of an RPM distribution by `ID` and `VERSION_ID` of os-release; none when it is not known. */
export function rpmEcosystems(id: string, version: string): readonly string[] {
  const major = /^\d+/.exec(version)?.[0];
  if (id === 'opensuse-tumbleweed') return ['openSUSE:Tumbleweed'];
  if (major === undefined) return [];
  switch (id) {
    case 'rhel':
    case 'centos':
      return redHat(major);
    case 'almalinux':
      return [`AlmaLinux:${major}`];
    case 'rocky':
      return [`Rocky Linux:${major}`];
    case 'ol':
      return [`Oracle Linux:${major}`];
    case 'amzn':
      // The first Amazon Linux was numbered by year and month: 2018.03.
      return [`Amazon Linux:${/^20\d\d\.\d\d$/.test(version) ? '1' : major}`];
    case 'fedora':
      return [`Fedora:${major}`];
    case 'azurelinux':
      return [`Azure Linux:${major}`];
    case 'mariner':
      return [`CBL-Mariner:${major}`];
    case 'photon':
      return [`Photon OS:${version}`];
    default:
      return suse(id, version, major);
  }
}

function redHat(major: string): readonly string[] {
  // From 10 on the CPE names the minor release and no repository.
  if (Number(major) >= 10) return [`Red Hat:enterprise_linux:${major}.0`];
  const repositories = major === '7' ? RED_HAT_7_REPOSITORIES : RED_HAT_REPOSITORIES;
  return repositories.map((repository) => `Red Hat:enterprise_linux:${major}::${repository}`);
}

function suse(id: string, version: string, major: string): readonly string[] {
  const pack = /^\d+\.(\d+)$/.exec(version)?.[1];
  const release = pack === undefined || pack === '0' ? major : `${major} SP${pack}`;
  const modules = SUSE_MODULES.map((name) => `SUSE:Linux Enterprise Module for ${name} ${release}`);
  switch (id) {
    case 'opensuse-leap':
      return [`openSUSE:Leap ${version}`, `openSUSE:Leap ${version} NonFree`];
    case 'sles':
      return [
        `SUSE:Linux Enterprise Server ${release}`,
        ...modules,
        `SUSE:Linux Enterprise Server ${release}-LTSS`,
      ];
    case 'sled':
      return [`SUSE:Linux Enterprise Desktop ${release}`, ...modules];
    case 'sle-micro':
    case 'sl-micro':
      return [`SUSE:Linux Enterprise Micro ${version}`];
    default:
      return [];
  }
}

/** Publishers that name binary packages; all other distributions name source packages. */
const BINARY_NAMES = new Set(['Red Hat', 'AlmaLinux', 'Oracle Linux', 'Amazon Linux', 'Fedora']);

/** Does the ecosystem's advisories name binary packages, as they are installed, or the source they were built from? */
export function advisoryNaming(ecosystem: string): 'binary' | 'source' {
  return BINARY_NAMES.has(ecosystem.split(':', 1)[0] ?? '') ? 'binary' : 'source';
}

/** SUSE leaves the epoch out of its advisories, so it is left out of installed versions as well. */
export function advisoriesLackEpoch(ecosystem: string): boolean {
  return ecosystem.startsWith('SUSE:') || ecosystem.startsWith('openSUSE:');
}

/** The paid support that the ecosystem's fixes are for, `Ubuntu Pro` or `SUSE LTSS`; undefined when they are for all. */
export function subscriptionOf(ecosystem: string): string | undefined {
  if (ecosystem.startsWith('Ubuntu:Pro:')) return 'Ubuntu Pro';
  return ecosystem.startsWith('SUSE:') && ecosystem.endsWith('-LTSS') ? 'SUSE LTSS' : undefined;
}
