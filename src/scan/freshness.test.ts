// Which reasons keep an image fresh, and that nothing looks current which is not.
import { describe, expect, it } from 'vitest';
import { scanVersions } from './scan-versions.ts';
import { FRESH_DAYS, freshnessOf } from './freshness.ts';
import type { ImageScan } from './store.ts';

const NOW = Date.UTC(2026, 5, 30);
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000).toISOString();

function scanned(more: Partial<ImageScan> = {}): ImageScan {
  return {
    digest: 'd',
    status: 'finished',
    trigger: 'push',
    requestedAt: daysAgo(40),
    startedAt: daysAgo(40),
    finishedAt: daysAgo(40),
    error: null,
    reason: null,
    platform: null,
    created: null,
    distribution: null,
    advisories: {
      kind: 'file',
      digest: 'sha256:data',
      builtAt: daysAgo(1),
      ageHours: 1,
      advisories: 1,
      notices: [],
    },
    layers: [],
    problems: [],
    packageCount: 1,
    counts: null,
    secretCount: null,
    catalogers: scanVersions,
    matchedAt: daysAgo(1),
    matchedCurrent: true,
    ...more,
  };
}

function stored(pushed: number, pulled: number | null) {
  const lastPulledAt = pulled === null ? null : daysAgo(pulled);
  const location = {
    repository: 'r',
    tags: [],
    pushedAt: daysAgo(pushed),
    pushedBy: 'a',
    lastPulledAt,
    pulls: 1,
  };
  return { kind: 'image' as const, locations: [location] };
}

const at = { now: NOW, scheduled: false };

describe('freshness', () => {
  it('follows pushes and pulls for 30 days', () => {
    const reasons = (pushed: number, pulled: number | null): readonly string[] =>
      freshnessOf(stored(pushed, pulled), [scanned()], at).reasons;
    expect(reasons(1, null)).toEqual(['push']);
    expect(reasons(FRESH_DAYS, FRESH_DAYS - 1)).toEqual(['pull']);
    expect(reasons(FRESH_DAYS, FRESH_DAYS)).toEqual([]);
    const asked = scanned({ trigger: 'on-demand', requestedAt: daysAgo(2) });
    expect(freshnessOf(stored(90, null), [asked], { ...at, scheduled: true }).reasons).toEqual([
      'on-demand',
      'schedule',
    ]);
  });

  it('is current only with the data and the catalogers of now', () => {
    const tell = (...scans: readonly (ImageScan | undefined)[]) => freshnessOf(stored(1, null), scans, at);
    expect(tell(scanned())).toMatchObject({
      current: true,
      statement: null,
      matchedAt: daysAgo(1),
      advisories: 'sha256:data',
    });
    expect(tell(scanned({ matchedCurrent: false }))).toMatchObject({
      current: false,
      statement: `not matched since ${daysAgo(1)}`,
    });
    expect(tell(scanned({ catalogers: 'dpkg@0' }))).toMatchObject({ current: false });
    expect(tell(scanned({ status: 'failed' }))).toMatchObject({ current: false });
    expect(tell(undefined)).toMatchObject({ current: false, matchedAt: null, statement: 'not scanned yet' });
    expect(tell()).toMatchObject({ current: false });
  });

  it('of an index is that of its least fresh image', () => {
    const index = { ...stored(1, null), kind: 'index' as const };
    const older = scanned({ matchedAt: daysAgo(9) });
    expect(freshnessOf(index, [scanned(), older], at)).toMatchObject({
      current: true,
      matchedAt: daysAgo(9),
    });
    expect(freshnessOf(index, [scanned(), undefined], at)).toMatchObject({ current: false, matchedAt: null });
  });
});
