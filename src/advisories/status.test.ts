// Age and look-up, as the command line asks.
import { describe, expect, it } from 'vitest';
import { starterAdvisories } from './starter.ts';
import { advisoryStatus, lookupAdvisories } from './status.ts';

const file = starterAdvisories();

describe('advisoryStatus', () => {
  const after = (hours: number) => ({ now: () => Date.parse(file.info.builtAt) + hours * 3_600_000 });

  it('tells the age and whether it is too high', () => {
    expect(advisoryStatus(file, after(30))).toMatchObject({ ageHours: 30, tooOld: false, kind: 'starter' });
    expect(advisoryStatus(file, after(30), 24).tooOld).toBe(true);
    expect(advisoryStatus(file, after(30), 48).tooOld).toBe(false);
  });

  it('is never younger than new, whatever the clock says', () => {
    expect(advisoryStatus(file, after(-5)).ageHours).toBe(0);
  });
});

describe('lookupAdvisories', () => {
  it('finds an advisory by id or alias in any case', () => {
    for (const question of ['CVE-2021-23337', 'cve-2021-23337', ' GHSA-35JH-R3H4-6JHM ']) {
      expect(lookupAdvisories(file, question)).toMatchObject({
        kind: 'advisories',
        advisories: [{ id: 'CVE-2021-23337' }],
      });
    }
  });

  it('finds what is said of a package', () => {
    const found = lookupAdvisories(file, 'NPM/lodash');
    expect(found).toMatchObject({ kind: 'package', ecosystem: 'npm', name: 'lodash' });
    expect(found.kind === 'package' && found.statements.length).toBeGreaterThan(3);
    expect(lookupAdvisories(file, 'Go/golang.org/x/net')).toMatchObject({
      kind: 'package',
      name: 'golang.org/x/net',
    });
    expect(lookupAdvisories(file, 'npm/absent')).toMatchObject({ kind: 'package', statements: [] });
  });

  it.each(['', '/', 'CVE-1999-0001', 'nowhere/x'])('finds nothing for %j', (question) => {
    expect(lookupAdvisories(file, question)).toEqual({ kind: 'nothing' });
  });
});
