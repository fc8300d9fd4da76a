// The order of findings: what is exploited comes before what is only rated high.
import { expect, it } from 'vitest';
import { compareFindings } from './finding-order.ts';
import type { Finding } from './types.ts';

const base: Finding = {
  id: 'CVE-1',
  advisory: 'CVE-1',
  aliases: [],
  purl: 'pkg:npm/a@1',
  kind: 'npm',
  package: 'a',
  installed: '1',
  fixed: null,
  fixState: 'not-fixed',
  severity: 'medium',
  severitySource: 'none',
  cvssScore: null,
  cvssVector: null,
  epss: null,
  exploited: false,
  title: '',
  range: '',
  layer: 0,
  layerDigest: null,
  path: 'a',
  state: 'open',
};

it('shows exploited flaws first, then by severity, probability, fix and name', () => {
  const ordered: Finding[] = [
    { ...base, id: 'exploited', severity: 'low', exploited: true },
    { ...base, id: 'critical', severity: 'critical' },
    { ...base, id: 'probable', epss: 0.9 },
    { ...base, id: 'fixable', fixed: '2' },
    { ...base, id: 'first' },
    { ...base, id: 'second' },
    { ...base, id: 'other', package: 'b' },
  ];
  for (let turn = 0; turn < ordered.length; turn++) {
    const mixed = [...ordered.slice(turn), ...ordered.slice(0, turn)].toReversed();
    expect(mixed.toSorted(compareFindings)).toEqual(ordered);
  }
});
