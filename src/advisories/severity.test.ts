// Whose severity counts, and where CVE data fills in.
import { describe, expect, it } from 'vitest';
import { findingSeverity, resolveSeverity } from './severity.ts';

const V3 = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H';
const V4 = 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N';
const META_V3 = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H';
const META = [{ vectors: [META_V3] }];
const said = (vectors: string[], word: string | null = null, score: number | null = null) => ({
  vectors,
  word,
  score,
});

describe('resolveSeverity', () => {
  it("puts the distribution's own word before CVSS, and still shows the score", () => {
    expect(resolveSeverity(said([V3], 'low'), true, [])).toEqual({
      severity: 'low',
      severitySource: 'distribution',
      cvssVector: V3,
      cvssScore: 9.8,
    });
  });

  it('puts CVSS before the word of a database', () => {
    expect(resolveSeverity(said([V3], 'LOW'), false, [])).toMatchObject({
      severity: 'critical',
      severitySource: 'cvss3',
    });
  });

  it('puts CVSS 4 before CVSS 3, the word of a database and CVE data', () => {
    const result = resolveSeverity(said([META_V3, V4], 'MODERATE'), false, META);
    expect(result).toEqual({
      severity: 'critical',
      severitySource: 'cvss4',
      cvssVector: V4,
      cvssScore: 9.3,
    });
  });

  it("takes the database's word where there is no vector that can be scored", () => {
    const result = resolveSeverity(said([`${V4}/E:Z`], 'MODERATE'), false, META);
    expect(result).toMatchObject({ severity: 'medium', severitySource: 'database', cvssScore: 7.5 });
  });

  it('fills in from CVE data when the record says nothing', () => {
    expect(resolveSeverity(said([]), true, META)).toMatchObject({
      severity: 'high',
      severitySource: 'cve-meta',
      cvssScore: 7.5,
    });
  });

  it('says unknown rather than guessing', () => {
    expect(resolveSeverity(said([], 'untriaged'), true, [])).toEqual({
      severity: 'unknown',
      severitySource: 'none',
      cvssVector: null,
      cvssScore: null,
    });
  });

  it('takes a bare score', () => {
    expect(resolveSeverity(said([], null, 6.5), false, [])).toMatchObject({
      severity: 'medium',
      cvssScore: 6.5,
    });
  });
});

describe('findingSeverity', () => {
  const facts = { severity: 'high', severitySource: 'cve-meta' } as const;
  const debian = { advisory: 'A', ecosystem: 'Debian:12', name: 'p', ranges: [], versions: [] };

  it("takes Debian's urgency for the package", () => {
    expect(findingSeverity({ ...debian, urgency: 'unimportant' }, facts).severity).toBe('informational');
    expect(findingSeverity({ ...debian, urgency: 'low' }, facts)).toEqual({
      severity: 'low',
      severitySource: 'distribution',
    });
  });

  it.each(['not yet assigned', 'end-of-life'])('does not take %s for a rating', (urgency) => {
    expect(findingSeverity({ ...debian, urgency }, facts)).toEqual(facts);
  });
});
