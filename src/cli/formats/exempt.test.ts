// Exempt findings in every format: counted, never among the open ones, with who took them on and until when.
import { describe, expect, it } from 'vitest';
import { parseVexDocument, type ScanReport, suppressFindings } from '../../scan/index.ts';
import { vulnerableReport } from '../testing/reports.ts';
import { FORMAT_NAMES, type FormatContext, type FormatName, loadFormat } from './format.ts';

const context: FormatContext = {
  toolVersion: '0.1.0',
  width: 200,
  colour: false,
  showAll: true,
  showExempt: true,
  compareVersions: (_kind, a, b) => a.localeCompare(b, 'en', { numeric: true }),
};
const suppression = {
  by: 'exemption',
  source: 'exemptions.yaml:4',
  reason: 'not reachable',
  owner: 'shop team',
  until: '2027-01-31',
} as const;
const byVex = { by: 'vex', source: 'v.json', reason: 'not_affected: x', owner: null, until: null } as const;
const [first, ...others] = vulnerableReport.findings;
if (first === undefined) throw new Error('the report has no findings');

const report = (by: typeof suppression | typeof byVex): ScanReport => ({
  ...vulnerableReport,
  findings: [{ ...first, state: 'exempt', suppression: by }, ...others],
});
const render = async (
  name: FormatName,
  wanted: ScanReport,
  more: Partial<FormatContext> = {},
): Promise<string> => (await loadFormat(name)).render([wanted], { ...context, ...more });

describe('exempt findings', () => {
  it.each(FORMAT_NAMES.filter((name) => name !== 'spdx' && name !== 'github'))(
    'are told in %s',
    async (name) => {
      const text = await render(name, report(suppression));
      for (const part of ['not reachable', 'shop team', '2027-01-31']) expect(text).toContain(part);
    },
  );

  it.each(FORMAT_NAMES.filter((name) => name !== 'json'))('are counted in %s', async (name) => {
    expect(await render(name, report(suppression))).toContain('1 exempt');
  });

  it('are no annotations and no failed tests', async () => {
    const all = await render('github', vulnerableReport);
    const some = await render('github', report(suppression));
    const annotations = (text: string): number => text.match(/^::error .*CVE-2024-5535/gm)?.length ?? 0;
    expect([annotations(all), annotations(some)]).toEqual([2, 1]);
    const junit = await render('junit', report(suppression));
    expect(junit).toContain('skipped="1"');
    expect(junit.match(/<failure /g)?.length).toBe(others.length + (vulnerableReport.secrets?.length ?? 0));
  });

  it('count in the table even when they are not listed', async () => {
    const text = await render('table', report(suppression), { showExempt: false });
    expect(text).toContain('1 exempt, --show-exempt');
    expect(text).not.toContain('not reachable');
  });

  it('keep their fingerprint in SARIF when the version changes', async () => {
    const prints = async (wanted: ScanReport): Promise<string[]> =>
      [...(await render('sarif', wanted)).matchAll(/"breakwater\/v2": "([0-9a-f]{32})"/g)].map(
        (match) => match[1] ?? '',
      );
    const rebuilt = vulnerableReport.findings.map((finding) => ({
      ...finding,
      installed: '9',
      purl: finding.purl.replace(/@[^?]*/, '@9'),
    }));
    const before = await prints(vulnerableReport);
    expect(await prints({ ...vulnerableReport, findings: rebuilt })).toEqual(before);
    expect(new Set(before).size).toBe(vulnerableReport.findings.length);
  });
});

describe.each(['openvex', 'cyclonedx-vex'] as const)('%s', (name) => {
  it('read back says the same', async () => {
    const again = parseVexDocument(Buffer.from(await render(name, report(byVex))), 'again.json');
    expect(again.statements.length).toBe(1);
    const { reports } = suppressFindings([vulnerableReport], { exemptions: [], vex: [again] }, 0);
    expect(reports[0]?.findings.map((finding) => finding.state)).toEqual([
      'exempt',
      ...others.map(() => 'open'),
    ]);
  });

  it('does not make an exemption a statement that the flaw is absent', async () => {
    const again = parseVexDocument(Buffer.from(await render(name, report(suppression))), 'again.json');
    expect(again.statements.map((statement) => statement.status)).toEqual(['affected']);
  });
});
