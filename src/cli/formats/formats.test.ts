// Golden documents of every format, and what each format's specification requires of them.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ScanReport } from '../../scan/index.ts';
import { starterReport, unscannableReport, vulnerableReport } from '../testing/reports.ts';
import { FORMAT_NAMES, type FormatContext, type FormatName, loadFormat } from './format.ts';

const context: FormatContext = {
  toolVersion: '0.1.0',
  width: 120,
  colour: false,
  showAll: false,
  showExempt: false,
  compareVersions: (_kind, a, b) => a.localeCompare(b, 'en', { numeric: true }),
};

async function render(name: FormatName, reports: readonly ScanReport[], more: Partial<FormatContext> = {}) {
  return (await loadFormat(name)).render(reports, { ...context, ...more });
}

const extensions: Readonly<Record<FormatName, string>> = {
  table: 'txt',
  json: 'json',
  sarif: 'sarif.json',
  cyclonedx: 'cdx.json',
  spdx: 'spdx.json',
  csv: 'csv',
  markdown: 'md',
  junit: 'xml',
  github: 'github.txt',
  openvex: 'openvex.json',
  'cyclonedx-vex': 'vex.cdx.json',
};

describe.each(FORMAT_NAMES)('format %s', (name) => {
  it('renders the golden document', async () => {
    const text = await render(name, [vulnerableReport, starterReport, unscannableReport]);
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, `testdata/report.${extensions[name]}`));
  });

  it('is the same each time and ends in a newline', async () => {
    const text = await render(name, [vulnerableReport]);
    expect(await render(name, [vulnerableReport])).toBe(text);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('never makes starter advisories or an unreadable image look clean', async () => {
    expect(await render(name, [starterReport])).toMatch(/starter/);
    expect(await render(name, [unscannableReport])).toMatch(/NOT SCANNED|NOT_AN_IMAGE|unscannable/);
  });

  it('carries the age or the digest of the advisories', async () => {
    expect(await render(name, [vulnerableReport])).toMatch(/sha256:e{64}/);
  });

  it('lets no control character of an image through', async () => {
    const text = await render(name, [vulnerableReport], { showAll: true });
    const lines = name === 'csv' ? text.replaceAll('\r\n', '\n') : text;
    expect(lines).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });
});

describe('table', () => {
  it('leads with what to fix first: one upgrade per source package', async () => {
    const lines = (await render('table', [vulnerableReport])).split('\n');
    const start = lines.indexOf('FIX FIRST');
    expect(lines[start + 1]).toContain('openssl (libssl3)');
    expect(lines[start + 1]).toContain('3.0.11-1~deb12u1 → 3.0.15-1~deb12u1');
    expect(lines[start + 1]).toContain('2 findings, 1 exploited');
    expect(lines[start + 2]).toContain('lodash');
  });

  it('drops the least important columns on a narrow terminal and keeps within the width', async () => {
    const wide = await render('table', [vulnerableReport], { showAll: true, width: 240 });
    const narrow = await render('table', [vulnerableReport], { showAll: true, width: 80 });
    expect(wide).toContain('TITLE');
    expect(narrow).not.toContain('TITLE');
    expect(narrow).toContain('CVE-2020-8203');
    const table = narrow.slice(narrow.indexOf('EVERY FINDING'), narrow.indexOf('COULD NOT READ'));
    for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('uses colour only when asked', async () => {
    expect(await render('table', [vulnerableReport], { colour: true })).toContain('\u001b[');
    expect(await render('table', [vulnerableReport])).not.toContain('\u001b[');
  });

  it('says since when a flaw is exploited, and how its EPSS ranks', async () => {
    const [finding] = vulnerableReport.findings;
    if (finding === undefined) throw new Error('the report has no finding');
    const known = { ...finding, kev: { added: '2024-05-06', ransomware: true }, epssPercentile: 0.9921 };
    const rumoured = { ...finding, exploited: false, exploitMaturity: 'proof-of-concept' as const };
    const report = { ...vulnerableReport, findings: [known, rumoured] };
    const text = await render('table', [report], { showAll: true, width: 240 });
    expect(text).toContain('exploited 2024-05-06, ransomware');
    expect(text).toContain('4.3 % (top 0.8 %)');
    expect(text).toContain('proof of concept');
  });
});

describe('csv', () => {
  it('keeps spreadsheet formulas from starting', async () => {
    const text = await render('csv', [vulnerableReport]);
    expect(text).toContain(`"'=SUM(A1)"`);
    expect(text).not.toMatch(/(^|,)"?[=+@-]/m);
  });
});

describe('junit', () => {
  it('counts what it lists', async () => {
    const text = await render('junit', [vulnerableReport, starterReport, unscannableReport]);
    expect(text.match(/<testcase /g)?.length).toBe(Number(/testsuites[^>]* tests="(\d+)"/.exec(text)?.[1]));
    expect(text.match(/<failure /g)?.length).toBe(Number(/testsuites[^>]* failures="(\d+)"/.exec(text)?.[1]));
    expect(text.match(/<error /g)?.length).toBe(Number(/testsuites[^>]* errors="(\d+)"/.exec(text)?.[1]));
    expect(text).not.toContain('<script>');
  });
});

describe('markdown', () => {
  it('escapes what would be markup', async () => {
    const text = await render('markdown', [vulnerableReport]);
    expect(text).not.toContain('<script>');
    const titleRow = text.split('\n').find((line) => line.includes('GHSA-aaaa') || line.includes('GHSA'));
    expect(titleRow?.replaceAll('\\|', '').split('|').length).toBe(9);
  });
});

type Json = Record<string, unknown>;
const object = (value: unknown): Json => {
  expect(typeof value).toBe('object');
  expect(value).not.toBeNull();
  return value as Json;
};
const list = (value: unknown): Json[] => {
  expect(Array.isArray(value)).toBe(true);
  return (value as unknown[]).map(object);
};
const parse = (text: string): Json => object(JSON.parse(text));

describe('sarif 2.1.0', () => {
  it('has what the schema and code scanning require', async () => {
    const log = parse(await render('sarif', [vulnerableReport, unscannableReport]));
    expect(log['version']).toBe('2.1.0');
    const runs = list(log['runs']);
    expect(runs.length).toBe(2);
    for (const run of runs) {
      const driver = object(object(run['tool'])['driver']);
      expect(driver['name']).toBe('breakwater');
      const rules = list(driver['rules']);
      const ids = rules.map((rule) => rule['id']);
      expect(new Set(ids).size).toBe(ids.length);
      for (const rule of rules) {
        expect(Number(object(rule['properties'])['security-severity'])).toBeGreaterThanOrEqual(0);
        expect(() => new URL(String(rule['helpUri']))).not.toThrow();
      }
      for (const result of list(run['results'])) {
        expect(ids[Number(result['ruleIndex'])]).toBe(result['ruleId']);
        expect(['error', 'warning', 'note', 'none']).toContain(result['level']);
        expect(String(object(result['message'])['text']).length).toBeGreaterThan(0);
        const physical = object(list(result['locations'])[0]?.['physicalLocation']);
        const uri = String(object(physical['artifactLocation'])['uri']);
        expect(uri).toMatch(/^[A-Za-z0-9%._~!'()*/-]+$/);
        expect(uri.startsWith('/')).toBe(false);
      }
      const invocation = list(run['invocations'])[0];
      expect(String(invocation?.['endTimeUtc'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    }
    expect(list(runs[1]?.['invocations'])[0]?.['executionSuccessful']).toBe(false);
  });
});

describe('cyclonedx 1.6', () => {
  it.each([[[vulnerableReport]], [[vulnerableReport, starterReport]]])(
    'has unique references that resolve (%#)',
    async (reports) => {
      const bom = parse(await render('cyclonedx', reports));
      expect(bom['bomFormat']).toBe('CycloneDX');
      expect(bom['specVersion']).toBe('1.6');
      expect(bom['serialNumber']).toMatch(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
      );
      const allowed = ['$schema', 'bomFormat', 'specVersion', 'serialNumber', 'version', 'metadata'];
      allowed.push('components', 'dependencies', 'vulnerabilities');
      expect(Object.keys(bom).filter((key) => !allowed.includes(key))).toEqual([]);
      const root = object(object(bom['metadata'])['component']);
      const components = list(bom['components']).flatMap((item) =>
        item['components'] === undefined ? [item] : [item, ...list(item['components'])],
      );
      const references = [root, ...components].map((item) => item['bom-ref']);
      expect(new Set(references).size).toBe(references.length);
      for (const item of components) {
        expect(['library', 'container', 'file', 'operating-system']).toContain(item['type']);
        expect(typeof item['name']).toBe('string');
      }
      for (const vulnerability of list(bom['vulnerabilities'])) {
        for (const affected of list(vulnerability['affects'])) expect(references).toContain(affected['ref']);
        for (const rating of list(vulnerability['ratings'])) {
          expect(['critical', 'high', 'medium', 'low', 'info', 'none', 'unknown']).toContain(
            rating['severity'],
          );
        }
      }
      for (const dependency of list(bom['dependencies'])) expect(references).toContain(dependency['ref']);
    },
  );
});

describe('spdx 2.3', () => {
  it('has the required fields and relationships that resolve', async () => {
    const document = parse(await render('spdx', [vulnerableReport, unscannableReport]));
    expect(document['spdxVersion']).toBe('SPDX-2.3');
    expect(document['dataLicense']).toBe('CC0-1.0');
    expect(document['SPDXID']).toBe('SPDXRef-DOCUMENT');
    expect(String(document['documentNamespace'])).toMatch(/^[a-z]+:[^#\s]+$/);
    const creation = object(document['creationInfo']);
    expect(creation['created']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const packages = list(document['packages']);
    const ids = ['SPDXRef-DOCUMENT', ...packages.map((item) => item['SPDXID'])];
    expect(new Set(ids).size).toBe(ids.length);
    for (const item of packages) {
      expect(String(item['SPDXID'])).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
      expect(typeof item['name']).toBe('string');
      expect(item['downloadLocation']).toBe('NOASSERTION');
    }
    const relationships = list(document['relationships']);
    for (const relation of relationships) {
      expect(ids).toContain(relation['spdxElementId']);
      expect(ids).toContain(relation['relatedSpdxElement']);
    }
    expect(relationships.filter((item) => item['relationshipType'] === 'DESCRIBES').length).toBe(2);
  });
});
