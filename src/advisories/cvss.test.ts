// CVSS base scores against published examples (FIRST's own, and NVD's for well-known CVEs).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreCvss, severityOfScore } from './cvss.ts';

describe('scoreCvss', () => {
  it.each([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
    ['CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', 7.8],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', 7.5],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5],
    ['CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N', 5.9],
    ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', 8.8],
    ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
    ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
    ['CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N', 1.6],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
    ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8],
    ['AV:N/AC:L/Au:N/C:C/I:C/A:C', 10],
    ['AV:L/AC:H/Au:N/C:C/I:C/A:C', 6.2],
    ['(AV:N/AC:M/Au:N/C:P/I:P/A:P)', 6.8],
    ['AV:N/AC:L/Au:N/C:P/I:N/A:N', 5],
  ])('%s is %d', (vector, score) => {
    expect(scoreCvss(vector)?.score).toBe(score);
  });

  // FIRST's "CVSS v4.0 Examples", and GitHub's own scores for vectors with a threat metric.
  it.each([
    ['AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.3],
    ['AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.7],
    ['AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N', 8.3],
    [
      'AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N/CR:H/IR:L/AR:L/MAV:N/MAC:H/MVC:H/MVI:L/MVA:L',
      8.1,
    ],
    ['AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N', 4.6],
    ['AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N', 5.1],
    ['AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N', 8.7],
    ['AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', 10],
    ['AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N', 0],
    ['AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N', 6.9],
    ['AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N/E:P', 5.5],
  ])('CVSS:4.0/%s is %d', (vector, score) => {
    expect(scoreCvss(`CVSS:4.0/${vector}`)).toEqual({ version: '4', score });
  });

  it.each([
    'AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N',
    'AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N',
    'AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:H',
    'AV:NA/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N',
  ])('rejects CVSS:4.0/%s', (vector) => {
    expect(scoreCvss(`CVSS:4.0/${vector}`)).toBeUndefined();
  });

  it.each(['', 'CVSS:3.1/AV:N', 'CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 'high', 'AV:N/AC:L'])(
    'rejects %j',
    (text) => {
      expect(scoreCvss(text)).toBeUndefined();
    },
  );

  it('stays between 0 and 10 with one decimal for every complete vector', () => {
    const metric = (name: string, values: string) =>
      fc.constantFrom(...values.split('')).map((value) => `${name}:${value}`);
    const vector = fc.tuple(
      metric('AV', 'NALP'),
      metric('AC', 'LH'),
      metric('PR', 'NLH'),
      metric('UI', 'NR'),
      metric('S', 'UC'),
      metric('C', 'HLN'),
      metric('I', 'HLN'),
      metric('A', 'HLN'),
    );
    fc.assert(
      fc.property(vector, (parts) => {
        const score = scoreCvss(`CVSS:3.1/${parts.join('/')}`)?.score ?? -1;
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(10);
        expect(Math.round(score * 10) / 10).toBe(score);
      }),
    );
  });

  it('scores every 4.0 vector; a less severe value of one metric never raises the score', () => {
    const ladders = { AV: 'NALP', AC: 'LH', AT: 'NP', PR: 'NLH', UI: 'NPA', VC: 'HLN', VI: 'HLN', VA: 'HLN' };
    const metrics = Object.entries({ ...ladders, SC: 'HLN', SI: 'HLN', SA: 'HLN', E: 'APU' });
    const choice = fc.tuple(...metrics.map(([, values]) => fc.nat(values.length - 1)));
    fc.assert(
      fc.property(choice, fc.nat(metrics.length - 1), (picked, lowered) => {
        const score = (steps: readonly number[]): number =>
          scoreCvss(
            `CVSS:4.0/${metrics.map(([name, values], at) => `${name}:${values[steps[at] ?? 0]}`).join('/')}`,
          )?.score ?? -1;
        const higher = score(picked);
        expect(higher).toBeGreaterThanOrEqual(0);
        expect(higher).toBeLessThanOrEqual(10);
        const [, values = ''] = metrics[lowered] ?? [];
        const milder = picked.map((step, at) =>
          at === lowered ? Math.min(step + 1, values.length - 1) : step,
        );
        expect(score(milder)).toBeLessThanOrEqual(higher);
      }),
    );
  });

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.constantFrom('3.1', '4.0'), fc.string(), (version, text) => {
        scoreCvss(`CVSS:${version}/${text}`);
      }),
    );
  });
});

describe('severityOfScore', () => {
  it.each([
    [0, 'informational'],
    [0.1, 'low'],
    [3.9, 'low'],
    [4, 'medium'],
    [6.9, 'medium'],
    [7, 'high'],
    [9, 'critical'],
  ])('%d is %s', (score, severity) => {
    expect(severityOfScore(score)).toBe(severity);
  });
});
