// Red Hat's repositories, SUSE's modules, naming, and fixes for subscribers.
import { describe, expect, it } from 'vitest';
import { distributionEcosystem } from './distribution.ts';
import { advisoriesLackEpoch, advisoryNaming, subscriptionOf } from './rpm-distribution.ts';

describe('keys of RPM distributions', () => {
  it('asks for every repository of a Red Hat release, and takes CentOS for it', () => {
    const keys = distributionEcosystem({ id: 'rhel', versionId: '9.4' });
    for (const repository of ['baseos', 'appstream', 'crb']) {
      expect(keys).toContain(`Red Hat:enterprise_linux:9::${repository}`);
    }
    expect(distributionEcosystem({ id: 'centos', versionId: '9' })).toEqual(keys);
    expect(distributionEcosystem({ id: 'rhel', versionId: '7.9' })[0]).toBe(
      'Red Hat:enterprise_linux:7::server',
    );
  });

  it('asks for the modules of SUSE releases, and for paid support last', () => {
    const keys = distributionEcosystem({ id: 'sles', versionId: '15.5' });
    expect(keys[0]).toBe('SUSE:Linux Enterprise Server 15 SP5');
    expect(keys).toContain('SUSE:Linux Enterprise Module for Basesystem 15 SP5');
    expect(keys.at(-1)).toBe('SUSE:Linux Enterprise Server 15 SP5-LTSS');
    expect(distributionEcosystem({ id: 'sles', versionId: '15' })[0]).toBe('SUSE:Linux Enterprise Server 15');
  });
});

describe('facts about the ecosystems', () => {
  it('knows whose advisories name binary packages', () => {
    expect(advisoryNaming('Red Hat:enterprise_linux:9::baseos')).toBe('binary');
    expect(advisoryNaming('AlmaLinux:9')).toBe('binary');
    expect(advisoryNaming('Rocky Linux:9')).toBe('source');
    expect(advisoryNaming('Debian:12')).toBe('source');
  });

  it('knows whose advisories leave the epoch out', () => {
    expect(advisoriesLackEpoch('openSUSE:Leap 15.6')).toBe(true);
    expect(advisoriesLackEpoch('Rocky Linux:9')).toBe(false);
  });

  it('knows which fixes are for subscribers', () => {
    expect(subscriptionOf('Ubuntu:Pro:22.04:LTS')).toBe('Ubuntu Pro');
    expect(subscriptionOf('SUSE:Linux Enterprise Server 15 SP4-LTSS')).toBe('SUSE LTSS');
    expect(subscriptionOf('Ubuntu:22.04:LTS')).toBeUndefined();
  });
});
