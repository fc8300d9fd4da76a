// Exemptions: patterns, the file with its complaints, which findings they cover, when they end.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanErrors } from '../errors.ts';
import { openFinding, reportOf } from '../advice/testing/findings.ts';
import { isExpired } from './exemption.ts';
import { parseExemptionFile } from './exemption-file.ts';
import { matchesGlob } from './glob.ts';
import { suppressFindings } from './suppression.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const entry = (lines: string): string =>
  `exemptions:\n  - ${lines.trim().replaceAll('\n', '\n    ')}\n    reason: not reachable\n    owner: shop\n    expires: 2027-01-31\n`;
const apply = (text: string, reports = [reportOf([openFinding])], now = NOW) =>
  suppressFindings(reports, { exemptions: parseExemptionFile(text, 'x.yaml'), vex: [] }, now);

describe('patterns', () => {
  it.each([
    ['registry.example/shop/*', 'registry.example/shop/cart', true],
    ['registry.example/*', 'registry.example/shop/cart', false],
    ['registry.example/**', 'registry.example/shop/cart:1.4', true],
    ['**/node_modules/**', 'node_modules/a/package.json', true],
    ['app/**/package.json', 'app/package.json', true],
    ['app/?.json', 'app/a.json', true],
    ['app/?.json', 'app/.json', false],
    ['a.c', 'abc', false],
    ['', '', true],
  ])('%s on %s: %s', (pattern, text, expected) => expect(matchesGlob(pattern, text)).toBe(expected));

  it('needs no more than linear time for each star', () => {
    const started = performance.now();
    expect(matchesGlob('*a'.repeat(200), 'a'.repeat(2_000) + 'b')).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('takes every text literally that has no star', () => {
    fc.assert(
      fc.property(fc.string(), (text) => matchesGlob(text.replace(/[*?]/g, '.'), text.replace(/[*?]/g, '.'))),
    );
  });
});

describe('exemption file', () => {
  it('reads YAML and JSON', () => {
    const [found] = parseExemptionFile(entry('vulnerability: CVE-2024-5535'), 'x.yaml');
    expect(found).toEqual({
      vulnerability: 'CVE-2024-5535',
      reason: 'not reachable',
      owner: 'shop',
      expires: '2027-01-31',
      source: 'x.yaml:2',
    });
    const json =
      '{"exemptions":[\n{"package":"openssl","version":3.10,"reason":"r","owner":"o","expires":"2027-01-31"}]}';
    expect(parseExemptionFile(json, 'x.json')[0]).toMatchObject({ version: '3.10', source: 'x.json:2' });
    expect(parseExemptionFile('', 'x')).toEqual([]);
    expect(parseExemptionFile('exemptions:', 'x')).toEqual([]);
  });

  it.each([
    [entry('vulnerability: CVE-1\nseverity: low'), 'line 3: unknown key "severity"'],
    [`ignore: []\nexemptions: []`, 'line 1: unknown key "ignore"'],
    [entry('image: "*"'), 'line 2: it names no vulnerability, package or path'],
    ['exemptions:\n  - package: a\n    reason: r\n    owner: o', 'line 2: "expires" is missing'],
    [
      'exemptions:\n  - package: a\n    reason: r\n    owner: o\n    expires: 2027-02-30',
      'line 5: "expires": is not a day',
    ],
    [
      'exemptions:\n  - package: a\n    reason: ""\n    owner: o\n    expires: 2027-02-03',
      'line 3: "reason"',
    ],
    ['exemptions:\n  - package: a\n    package: b', 'line 3: Map keys must be unique'],
    ['exemptions: 5', 'line 1: "exemptions" must be a list'],
    ['- a', 'line 1: the file must start with "exemptions:"'],
    ['exemptions:\n  - text', 'line 2: an exemption must be'],
    ['a: [', 'line 1:'],
  ])('refuses %j with its line', (text, message) => {
    expect(() => parseExemptionFile(text, 'x.yaml')).toThrow(message);
  });

  it('refuses whatever else it is given with a coded error', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({
        unit: fc.constantFrom('exemptions', ':', '\n', ' ', '-', '&a', '*a', '{', '[', '"', 'x', '!!map'),
      }),
      fc.integer({ min: 1, max: 20_000 }).map((depth) => '['.repeat(depth)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseExemptionFile(text, 'x');
        } catch (error) {
          expect(scanErrors.is(error, 'SCAN_EXEMPTIONS_INVALID')).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('covering', () => {
  it.each([
    ['vulnerability: cve-2024-5535', true],
    ['vulnerability: DEBIAN-CVE-2024-5535', true],
    ['vulnerability: CVE-2024-5536', false],
    ['package: libssl3', true],
    ['package: openssl', true],
    ['package: openss', false],
    ['package: pkg:deb/debian/libssl3', true],
    ['package: pkg:deb/debian/libssl3@3.0.11-1', true],
    ['package: pkg:deb/debian/libssl3@3.0.12-1', false],
    ['package: pkg:deb/debian/openssl?arch=source', true],
    ['package: pkg:deb/ubuntu/libssl3', false],
    ['package: libssl3\nversion: 3.0.11-1', true],
    ['package: libssl3\nversion: 3.0.12-1', false],
    ['package: libssl3\nimage: registry.example/shop/*', true],
    ['package: libssl3\nimage: registry.example/shop/*:1.4', true],
    ['package: libssl3\nimage: registry.example/other/*', false],
    ['path: /var/lib/dpkg/status', true],
    ['path: app/**', false],
  ])('%s: %s', (text, expected) => {
    const { reports, unused } = apply(entry(text));
    const finding = reports[0]?.findings[0];
    expect(finding?.state).toBe(expected ? 'exempt' : 'open');
    expect(unused.length).toBe(expected ? 0 : 1);
    if (expected)
      expect(finding?.suppression).toEqual({
        by: 'exemption',
        source: 'x.yaml:2',
        reason: 'not reachable',
        owner: 'shop',
        until: '2027-01-31',
      });
  });

  it('ends after its last day and says so', () => {
    expect(isExpired({ expires: '2027-01-31' }, Date.parse('2027-01-31T23:59:59Z'))).toBe(false);
    expect(isExpired({ expires: '2027-01-31' }, Date.parse('2027-02-01T00:00:00Z'))).toBe(true);
    const { reports, expired, unused } = apply(
      entry('vulnerability: CVE-2024-5535'),
      undefined,
      Date.parse('2027-02-01T00:00:00Z'),
    );
    expect(reports[0]?.findings[0]).toEqual(openFinding);
    expect(expired.map((exemption) => exemption.source)).toEqual(['x.yaml:2']);
    expect(unused).toEqual([]);
  });
});
