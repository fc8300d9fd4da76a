// Several records about one package: newest wording, withdrawals, fixes over open entries, announcements.
import { describe, expect, it } from 'vitest';
import { AdvisoryCollector } from './collector.ts';

interface Statement {
  readonly id: string;
  readonly modified: string;
  readonly ecosystem?: string;
  readonly fixed?: string;
  readonly introduced?: string;
  readonly upstream?: readonly string[];
  readonly withdrawn?: string;
  readonly name?: string;
  readonly urgency?: string;
}

function collect(...statements: readonly Statement[]): AdvisoryCollector {
  const collector = new AdvisoryCollector();
  for (const { id, modified, upstream = [], withdrawn, ...rest } of statements) {
    const events = [
      { introduced: rest.introduced ?? '0' },
      ...(rest.fixed === undefined ? [] : [{ fixed: rest.fixed }]),
    ];
    const identity = { ecosystem: rest.ecosystem ?? 'Debian:12', name: rest.name ?? 'zlib' };
    const specific = rest.urgency === undefined ? {} : { urgency: rest.urgency };
    const affected = [
      { package: identity, ranges: [{ type: 'ECOSYSTEM', events }], ecosystem_specific: specific },
    ];
    collector.add({ id, modified, upstream, withdrawn, affected }, 'test');
  }
  return collector;
}

const OLD = '2024-01-01T00:00:00Z';
const NEW = '2026-01-01T00:00:00Z';
const ranges = (collector: AdvisoryCollector, key = 'Debian:12\0zlib') =>
  collector.takeStatements(key).map(({ advisory, ranges: found, urgency }) => [advisory, found, urgency]);

describe('what several records say of one package', () => {
  it('lets a newer fix close an entry left open, under the open record with its urgency', () => {
    const collector = collect(
      { id: 'DEBIAN-CVE-2023-1000', modified: OLD, upstream: ['CVE-2023-1000'], urgency: 'low' },
      {
        id: 'DEBCHANGELOG-CVE-2023-1000',
        modified: NEW,
        upstream: ['CVE-2023-1000'],
        fixed: '1.2-3+deb12u1',
      },
    );
    expect(ranges(collector)).toEqual([
      ['DEBIAN-CVE-2023-1000', [{ introduced: '0', fixed: '1.2-3+deb12u1' }], 'low'],
    ]);
  });

  it('does not let an older fix close a newer open entry', () => {
    const collector = collect(
      { id: 'DEBIAN-CVE-2023-1000', modified: NEW, upstream: ['CVE-2023-1000'] },
      {
        id: 'DEBCHANGELOG-CVE-2023-1000',
        modified: OLD,
        upstream: ['CVE-2023-1000'],
        fixed: '1.2-3+deb12u1',
      },
    );
    expect(ranges(collector)).toHaveLength(2);
  });

  it('leaves the fixes of other flaws in a bulletin standing', () => {
    const collector = collect(
      {
        id: 'UBUNTU-CVE-2023-1000',
        modified: OLD,
        upstream: ['CVE-2023-1000'],
        ecosystem: 'Ubuntu:22.04:LTS',
      },
      {
        id: 'USN-1',
        modified: NEW,
        upstream: ['CVE-2023-1000', 'CVE-2023-2000'],
        fixed: '2',
        ecosystem: 'Ubuntu:22.04:LTS',
      },
    );
    expect(ranges(collector, 'Ubuntu:22.04:LTS\0zlib').map(([id]) => id)).toEqual([
      'UBUNTU-CVE-2023-1000',
      'USN-1',
    ]);
  });

  it('does not touch open entries of language ecosystems', () => {
    const collector = collect(
      { id: 'GHSA-1', modified: OLD, upstream: ['CVE-2023-1000'], ecosystem: 'npm' },
      { id: 'GHSA-2', modified: NEW, upstream: ['CVE-2023-1000'], ecosystem: 'npm', fixed: '2.0.0' },
    );
    expect(ranges(collector, 'npm\0zlib')).toHaveLength(2);
  });

  it('drops a Debian announcement where the tracker names the same fix, and keeps it otherwise', () => {
    const tracker = { id: 'DEBIAN-CVE-2023-1000', modified: OLD, upstream: ['CVE-2023-1000'], fixed: '2' };
    const announcements = [
      { id: 'DSA-1-1', modified: NEW, fixed: '2' },
      { id: 'DLA-2-1', modified: NEW, fixed: '3' },
    ];
    expect(ranges(collect(tracker, ...announcements)).map(([id]) => id)).toEqual([
      'DEBIAN-CVE-2023-1000',
      'DLA-2-1',
    ]);
  });

  it('takes the newest of records with one id, whatever their order', () => {
    const older = { id: 'GHSA-1', modified: OLD, ecosystem: 'npm', fixed: '1.0.0' };
    const newer = { ...older, modified: NEW, fixed: '1.0.1' };
    for (const collector of [collect(older, newer), collect(newer, older)]) {
      expect(ranges(collector, 'npm\0zlib')).toEqual([
        ['GHSA-1', [{ introduced: '0', fixed: '1.0.1' }], undefined],
      ]);
    }
  });

  it('keeps what an older record with the same id says of another package', () => {
    const collector = collect(
      { id: 'CVE-2008-1887', modified: OLD, ecosystem: 'DHI', name: 'python', fixed: '2.5.3' },
      { id: 'CVE-2008-1887', modified: NEW, ecosystem: 'DHI', name: 'pypy', fixed: '2' },
    );
    expect(ranges(collector, 'DHI\0python')).toHaveLength(1);
    expect(ranges(collector, 'DHI\0pypy')).toHaveLength(1);
  });

  it('never gives statements of a withdrawn record, but keeps the record', () => {
    const collector = collect(
      { id: 'GO-1', modified: '0001-01-01T00:00:00Z', ecosystem: 'Go', withdrawn: NEW },
      { id: 'GO-1', modified: OLD, ecosystem: 'Go', fixed: '1.0.0' },
    );
    expect(ranges(collector, 'Go\0zlib')).toEqual([]);
    expect(collector.facts('GO-1')?.withdrawn).toBe('2026-01-01T00:00:00.000Z');
  });
});

describe('facts', () => {
  it('adds EPSS and exploitation of every CVE a record names', () => {
    const collector = collect({ id: 'ALAS-1', modified: OLD, upstream: ['CVE-2023-1000', 'CVE-2023-2000'] });
    collector.add(
      { cve: 'CVE-2023-1000', epss: 0.2, cvss3: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
      'meta',
    );
    collector.add({ cve: 'CVE-2023-2000', epss: 0.7 }, 'meta');
    collector.add({ cveID: 'CVE-2023-2000' }, 'kev');
    expect(collector.facts('ALAS-1')).toMatchObject({
      epss: 0.7,
      exploited: true,
      cvssScore: 9.8,
      severitySource: 'cve-meta',
    });
  });

  it('says what became of each value', () => {
    const collector = new AdvisoryCollector();
    expect(collector.add({ cveID: 'CVE-2023-1000' }, 'kev')).toEqual({ kind: 'enrichment' });
    expect(collector.add({ id: 'X-1', published: OLD }, 'x')).toEqual({
      kind: 'advisory',
      date: '2024-01-01T00:00:00.000Z',
    });
    expect(collector.add({ name: 'no record' }, 'x')).toEqual({ kind: 'rejected' });
  });
});
