// Ends of life on the days around them, paid and free extensions, and the table itself.
import { describe, expect, it } from 'vitest';
import table from '../../library/distributions/end-of-life.json' with { type: 'json' };
import { distributionSupport, supportNotices } from './distribution-support.ts';

const at = (id: string, versionId: string | null, day: string, prettyName = id) =>
  distributionSupport({ id, versionId, prettyName }, Date.parse(`${day}T12:00:00Z`));

describe('support of a distribution release', () => {
  it('ends after its last day', () => {
    expect(at('alpine', '3.18.4', '2025-05-09').status).toBe('supported');
    expect(at('alpine', '3.18.4', '2025-05-10')).toEqual({
      status: 'endOfLife',
      supportedUntil: '2025-05-09',
      paidSupport: null,
    });
  });

  it('lasts as long as the extension that everyone gets', () => {
    expect(at('debian', '12', '2027-01-01')).toMatchObject({
      status: 'supported',
      supportedUntil: '2028-06-30',
    });
    expect(at('debian', '10', '2024-07-01').status).toBe('endOfLife');
  });

  it('has ended for those who do not pay, and names what the others have', () => {
    const release = { id: 'ubuntu', versionId: '18.04', prettyName: 'Ubuntu 18.04.6 LTS' };
    const support = distributionSupport(release, Date.parse('2026-01-01'));
    expect(support).toEqual({
      status: 'endOfLife',
      supportedUntil: '2023-05-31',
      paidSupport: { name: 'Ubuntu Pro', until: '2028-04-30' },
    });
    expect(supportNotices(release, support)).toEqual([
      'Ubuntu 18.04.6 LTS reached end of life on 2023-05-31: flaws found since then are not fixed in it, save for subscribers of Ubuntu Pro until 2028-04-30',
    ]);
    expect(at('ubuntu', '14.04', '2026-01-01').paidSupport).toBeNull();
  });

  it('tells CentOS Linux from CentOS Stream, and service packs from each other', () => {
    expect(at('centos', '8', '2022-01-01', 'CentOS Linux 8').status).toBe('endOfLife');
    expect(at('centos', '8', '2022-01-01', 'CentOS Stream 8').status).toBe('supported');
    expect(at('sles', '15.4', '2024-06-01').status).toBe('endOfLife');
    expect(at('sles', '15.5', '2024-06-01').status).toBe('supported');
    expect(at('rhel', '9.4', '2026-01-01').status).toBe('supported');
  });

  it('is not known of what the table lacks, and has no end where releases roll', () => {
    expect(at('debian', null, '2026-01-01').status).toBe('unknown');
    expect(at('nixos', '24.05', '2026-01-01').status).toBe('unknown');
    expect(at('alpine', '3.21.0_alpha20240923', '2027-01-01').status).toBe('unknown');
    expect(at('wolfi', '20230201', '2026-01-01')).toMatchObject({
      status: 'supported',
      supportedUntil: null,
    });
    expect(
      supportNotices({ id: 'x', versionId: null, prettyName: 'x' }, at('x', null, '2026-01-01')),
    ).toEqual([]);
  });

  it('is written in dates that are some, the extension after the end', () => {
    for (const [id, releases] of Object.entries(table.distributions)) {
      const versions = releases.map(({ version }) => version);
      expect(new Set(versions).size, id).toBe(versions.length);
      for (const release of releases) {
        const extended = 'extended' in release ? release.extended : undefined;
        for (const date of [release.until, extended?.until ?? release.until]) {
          expect(date, `${id} ${release.version}`).toMatch(/^20\d\d-\d\d(?:-\d\d)?$/);
          expect(Number.isNaN(Date.parse(date))).toBe(false);
        }
        if (extended) expect(extended.until > release.until).toBe(true);
      }
    }
  });
});
