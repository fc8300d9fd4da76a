// Verdicts about one version: ranges or listed versions, nearest fix, what cannot be decided.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchVersion, rangeInWords } from './match.ts';
import { type OsvEvent, rangesFromEvents } from './ranges.ts';
import type { AffectedPackage, VersionScheme } from './types.ts';
import { versionScheme } from './versions/index.ts';

function scheme(ecosystem: string): VersionScheme {
  const found = versionScheme(ecosystem);
  if (found === undefined) throw new Error(`no scheme for ${ecosystem}`);
  return found;
}

function affected(ecosystem: string, parts: Partial<AffectedPackage>): AffectedPackage {
  return { advisory: 'X-1', ecosystem, name: 'p', ranges: [], versions: [], ...parts };
}

describe('matchVersion', () => {
  const npm = affected('npm', {
    ranges: [
      { introduced: '0', fixed: '1.2.6' },
      { introduced: '2.0.0', fixed: '2.3.0' },
      { introduced: '3.0.0', lastAffected: '3.1.0' },
    ],
  });
  const verdict = (version: string) => matchVersion(npm, version, scheme('npm'));

  it('names the fix of the branch that the version is on', () => {
    expect(verdict('1.0.0')).toEqual({ affected: true, fixed: '1.2.6', range: '< 1.2.6' });
    expect(verdict('2.1.0')).toEqual({ affected: true, fixed: '2.3.0', range: '>= 2.0.0, < 2.3.0' });
  });

  it('has no fix where none is named above the version', () => {
    expect(verdict('3.1.0')).toEqual({ affected: true, fixed: null, range: '>= 3.0.0, <= 3.1.0' });
  });

  it.each(['1.2.6', '1.9.0', '2.3.0', '3.1.1'])('is not affected outside the ranges: %s', (version) => {
    expect(verdict(version)).toEqual({ affected: false });
  });

  it('says when the installed version cannot be read', () => {
    expect(verdict('workspace:*')).toEqual({ affected: false, undecided: true });
    expect(matchVersion(affected('Go', { ranges: [{ introduced: '0' }] }), '(devel)', scheme('Go'))).toEqual({
      affected: false,
      undecided: true,
    });
  });

  it('takes listed versions as alternatives to ranges, equal as the scheme sees them', () => {
    const listed = affected('PyPI', {
      versions: ['1.0', '2.0rc1'],
      ranges: [{ introduced: '3', fixed: '4' }],
    });
    expect(matchVersion(listed, '1.0.0', scheme('PyPI'))).toEqual({
      affected: true,
      fixed: '4',
      range: '= 1.0',
    });
    expect(matchVersion(listed, '2.0-rc.1', scheme('PyPI'))).toMatchObject({ affected: true });
    expect(matchVersion(listed, '2.0', scheme('PyPI'))).toEqual({ affected: false });
  });

  it('never matches what Alpine marks as fixed in 0', () => {
    const never = affected('Alpine:v3.20', { ranges: [{ introduced: '0', fixed: '0' }] });
    expect(matchVersion(never, '1.0-r0', scheme('Alpine:v3.20'))).toEqual({ affected: false });
  });

  it('passes over a fix that another range still covers', () => {
    const twice = affected('Alpine:v3.20', {
      ranges: [
        { introduced: '0', fixed: '1.2-r1' },
        { introduced: '0', fixed: '1.2-r3' },
      ],
    });
    expect(matchVersion(twice, '1.2-r0', scheme('Alpine:v3.20'))).toMatchObject({ fixed: '1.2-r3' });
    expect(matchVersion(twice, '1.2-r2', scheme('Alpine:v3.20'))).toMatchObject({ fixed: '1.2-r3' });
  });

  it('keeps to the branch limits', () => {
    const limited = affected('npm', { ranges: [{ introduced: '1.0.0', limits: ['2.0.0'] }] });
    expect(matchVersion(limited, '1.5.0', scheme('npm'))).toMatchObject({
      affected: true,
      range: '>= 1.0.0, < 2.0.0',
    });
    expect(matchVersion(limited, '2.0.0', scheme('npm'))).toEqual({ affected: false });
  });

  it('puts a Debian security update before the next upstream release', () => {
    const debian = affected('Debian:12', { ranges: [{ introduced: '0', fixed: '2.9.14+dfsg-1.3~deb12u2' }] });
    expect(matchVersion(debian, '2.9.14+dfsg-1.3~deb12u1', scheme('Debian:12'))).toMatchObject({
      affected: true,
    });
    expect(matchVersion(debian, '2.9.14+dfsg-1.3~deb12u2', scheme('Debian:12'))).toEqual({ affected: false });
  });
});

describe('rangeInWords', () => {
  it('says "all versions" without bounds', () => {
    expect(rangeInWords({ introduced: '0' })).toBe('all versions');
  });
});

/** The evaluation that the OSV schema describes, written as it stands there. */
function referenceVerdict(events: readonly OsvEvent[], version: string, order: VersionScheme): boolean {
  const sorted = events.toSorted((a, b) =>
    a.version === b.version
      ? 0
      : a.version === '0'
        ? -1
        : b.version === '0'
          ? 1
          : order.compare(a.version, b.version),
  );
  let vulnerable = false;
  for (const event of sorted) {
    const from = event.version === '0' ? 1 : order.compare(version, event.version);
    if (event.kind === 'introduced' && from >= 0) vulnerable = true;
    if (event.kind === 'fixed' && from >= 0) vulnerable = false;
    if (event.kind === 'last_affected' && from > 0) vulnerable = false;
  }
  return vulnerable;
}

describe('rangesFromEvents', () => {
  it('gives the verdicts of the OSV evaluation for well-formed events in any order', () => {
    const semver = scheme('npm');
    const number = fc.integer({ min: 1, max: 30 });
    const wellFormed = fc.uniqueArray(number, { minLength: 1, maxLength: 8 }).map((numbers) =>
      numbers
        .sort((a, b) => a - b)
        .map(
          (value, index): OsvEvent => ({
            kind: index % 2 === 0 ? 'introduced' : value % 3 === 0 ? 'last_affected' : 'fixed',
            version: `${value}.0.0`,
          }),
        ),
    );
    const shuffled = wellFormed.chain((events) =>
      fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
    );
    fc.assert(
      fc.property(shuffled, number, (events, value) => {
        const version = `${value}.0.0`;
        const statement = affected('npm', { ranges: rangesFromEvents(events, semver) });
        expect(matchVersion(statement, version, semver).affected).toBe(
          referenceVerdict(events, version, semver),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads a bound without a start as from the beginning, and drops fixed in 0', () => {
    expect(rangesFromEvents([{ kind: 'fixed', version: '2' }], undefined)).toEqual([
      { introduced: '0', fixed: '2' },
    ]);
    const never: OsvEvent[] = [
      { kind: 'introduced', version: '0' },
      { kind: 'fixed', version: '0' },
    ];
    expect(rangesFromEvents(never, scheme('Alpine:v3.20'))).toEqual([]);
  });

  it('keeps several branches apart', () => {
    const events: OsvEvent[] = [
      { kind: 'introduced', version: '0' },
      { kind: 'fixed', version: '1.5.0' },
      { kind: 'introduced', version: '2.0.0' },
    ];
    expect(rangesFromEvents(events, scheme('npm'))).toEqual([
      { introduced: '0', fixed: '1.5.0' },
      { introduced: '2.0.0' },
    ]);
  });
});
