// os-release to OSV ecosystem keys, as found in the published data.
import { describe, expect, it } from 'vitest';
import { distributionEcosystem } from './distribution.ts';

describe('distributionEcosystem', () => {
  it.each([
    ['debian', '12', ['Debian:12']],
    ['debian', '11.9', ['Debian:11']],
    ['ubuntu', '22.04', ['Ubuntu:22.04:LTS', 'Ubuntu:Pro:22.04:LTS']],
    ['ubuntu', '23.10', ['Ubuntu:23.10']],
    ['ubuntu', '25.04', ['Ubuntu:25.04']],
    ['alpine', '3.20.1', ['Alpine:v3.20']],
    ['alpine', '3.21.0_alpha20240923', ['Alpine:edge']],
    ['alpine', '', []],
    ['wolfi', '20230201', ['Wolfi']],
    ['alpaquita', 'stream', ['Alpaquita:stream']],
    ['alpaquita', '23', ['Alpaquita:23']],
    ['almalinux', '9.4', ['AlmaLinux:9']],
    ['rocky', '8.10', ['Rocky Linux:8']],
    ['amzn', '2023', ['Amazon Linux:2023']],
    ['azurelinux', '3.0', ['Azure Linux:3']],
    ['mariner', '1.0', ['CBL-Mariner:1']],
    ['opensuse-leap', '15.6', ['openSUSE:Leap 15.6', 'openSUSE:Leap 15.6 NonFree']],
    ['opensuse-tumbleweed', '20240101', ['openSUSE:Tumbleweed']],
    ['amzn', '2018.03', ['Amazon Linux:1']],
    ['ol', '9.3', ['Oracle Linux:9']],
    ['fedora', '40', ['Fedora:40']],
    ['photon', '5.0', ['Photon OS:5.0']],
    ['mariner', '2.0', ['CBL-Mariner:2']],
    ['rhel', '10.0', ['Red Hat:enterprise_linux:10.0']],
    ['sled', null, []],
    ['raspbian', '12', []],
    ['kali', '2024.1', []],
    ['arch', null, []],
    ['', '12', []],
  ])('%s %s', (id, versionId, expected) => {
    expect(distributionEcosystem({ id, versionId })).toEqual(expected);
  });

  it('knows Debian releases by codename where there is no version yet', () => {
    expect(distributionEcosystem({ id: 'debian', versionId: null, codename: 'trixie' })).toEqual([
      'Debian:13',
    ]);
    expect(
      distributionEcosystem({ id: 'debian', versionId: null, prettyName: 'Debian GNU/Linux trixie/sid' }),
    ).toEqual(['Debian:13']);
    expect(distributionEcosystem({ id: 'debian', versionId: null, prettyName: 'Debian GNU/Linux' })).toEqual(
      [],
    );
  });
});
