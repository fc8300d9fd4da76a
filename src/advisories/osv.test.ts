// OSV records as publishers ship them, and as nobody should.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cveIds, readOsvRecord } from './osv.ts';

const record = (parts: object) => ({ id: 'GHSA-aaaa-bbbb-cccc', ...parts });
const affected = (ecosystem: string, name: string, parts: object) =>
  record({ affected: [{ package: { ecosystem, name }, ...parts }] });

describe('readOsvRecord', () => {
  it('reads names, ranges and dates', () => {
    const read = readOsvRecord({
      id: 'PYSEC-2020-1',
      modified: '2024-01-02T03:04:05Z',
      aliases: ['cve-2020-14343', 'ghsa-8Q59-Q68H-6HV4', 'PYSEC-2020-1'],
      upstream: ['CVE-2020-14343'],
      details: 'A library runs code. More text.',
      affected: [
        {
          package: { ecosystem: 'PyPI', name: 'Py.YAML' },
          ranges: [
            { type: 'GIT', events: [{ introduced: 'abc' }] },
            { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '5.4' }] },
          ],
          versions: ['5.3', ' 5.3.1 ', 7, ''],
        },
      ],
      references: [{ url: 'https://example.org/a' }, { url: 'javascript:alert(1)' }, 'x'],
    });
    expect(read).toMatchObject({
      aliases: ['CVE-2020-14343', 'GHSA-8q59-q68h-6hv4'],
      summary: 'A library runs code.',
      modified: '2024-01-02T03:04:05.000Z',
      references: ['https://example.org/a'],
      affected: [
        { name: 'py-yaml', ranges: [{ introduced: '0', fixed: '5.4' }], versions: ['5.3', '5.3.1'] },
      ],
    });
  });

  it('leaves out entries with neither ranges nor versions, and keeps the record', () => {
    expect(readOsvRecord(affected('DHI', 'python', {}))?.affected).toEqual([]);
    expect(readOsvRecord(record({}))?.affected).toEqual([]);
  });

  it('trims bounds with blanks in them and takes the unknown date of the Go database as none', () => {
    const events = [{ introduced: ' 0 ' }, { fixed: ' 1.2 3 ' }];
    const read = readOsvRecord({
      ...affected('Azure Linux:3', 'x', { ranges: [{ type: 'ECOSYSTEM', events }] }),
      published: '0001-01-01T00:00:00Z',
    });
    expect(read?.affected[0]?.ranges).toEqual([{ introduced: '0', fixed: '1.2 3' }]);
    expect(read?.published).toBeNull();
  });

  it('takes the narrower custom ranges of the Go database', () => {
    const go = affected('Go', 'k8s.io/ingress-nginx', {
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }],
      ecosystem_specific: {
        custom_ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.9.0' }] }],
        imports: [{ path: 'k8s.io/ingress-nginx/a', symbols: ['F'] }],
      },
    });
    expect(readOsvRecord(go)?.affected[0]).toMatchObject({
      ranges: [{ introduced: '0', fixed: '1.9.0' }],
      imports: ['k8s.io/ingress-nginx/a'],
    });
  });

  it('keeps the urgency of Debian and the status of Ubuntu', () => {
    const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }];
    const urgent = affected('Debian:12', 'x', { ranges, ecosystem_specific: { urgency: 'unimportant' } });
    const waiting = affected('Ubuntu:22.04:LTS', 'x', { ranges, ecosystem_specific: { status: 'needed' } });
    expect(readOsvRecord(urgent)?.affected[0]?.urgency).toBe('unimportant');
    expect(readOsvRecord(waiting)?.affected[0]?.urgency).toBe('needed');
  });

  it.each([
    [{ summary: 'Withdrawn: Arbitrary code execution in lodash' }, true],
    [{ details: '## Duplicate Advisory\nThis advisory has been withdrawn because …' }, true],
    [{ details: '# Withdrawn\n\nNot a security issue.' }, true],
    [{ summary: 'Tokens can be withdrawn twice', details: 'A user may have withdrawn funds.' }, false],
  ])('takes the word of mirrored GitHub records that they are withdrawn: %j', (parts, expected) => {
    expect(typeof readOsvRecord(record(parts))?.withdrawn === 'string').toBe(expected);
    expect(readOsvRecord({ ...parts, id: 'GO-2024-1' })?.withdrawn).toBeNull();
  });

  it.each([null, 3, 'x', [], {}, { id: '' }, { id: 7 }, { id: 'x'.repeat(300) }, { id: 'a\nb' }])(
    'rejects %j',
    (value) => {
      expect(readOsvRecord(value)).toBeUndefined();
    },
  );

  it('survives any JSON in any field', () => {
    const keys = [
      'aliases',
      'upstream',
      'affected',
      'severity',
      'database_specific',
      'references',
      'modified',
      'withdrawn',
    ];
    const hostile = fc.dictionary(
      fc.constantFrom(...keys, 'details', 'summary'),
      fc.jsonValue({ maxDepth: 4 }),
    );
    const inner = fc.dictionary(
      fc.constantFrom('package', 'ranges', 'versions', 'ecosystem_specific', 'database_specific', 'severity'),
      fc.oneof(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constant([{ events: [{ fixed: '1' }, { introduced: 'x' }, null] }]),
      ),
    );
    fc.assert(
      fc.property(hostile, fc.array(inner, { maxLength: 4 }), (fields, entries) => {
        expect(readOsvRecord({ id: 'X-1', ...fields })?.id).toBe('X-1');
        const packaged = entries.map((entry) => ({ package: { ecosystem: 'npm', name: 'x' }, ...entry }));
        expect(readOsvRecord({ id: 'X-1', affected: packaged })?.id).toBe('X-1');
      }),
    );
  });
});

describe('cveIds', () => {
  it('picks CVE ids only', () => {
    expect(cveIds('DEBIAN-CVE-2024-1', ['CVE-2024-12345', 'GHSA-x', 'CVE-bad'])).toEqual(['CVE-2024-12345']);
  });
});
