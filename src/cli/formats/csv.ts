// `-o csv` (RFC 4180): one record per target, finding and problem; cells cannot start a spreadsheet formula.
import { compareFindings, type ScanReport } from '../../scan/index.ts';
import type { ReportFormat } from './format.ts';
import { removalText } from './secret-wording.ts';
import { notices, printable, suppressionText, verdict } from './wording.ts';

const HEADER = [
  'record',
  'target',
  'platform',
  'digest',
  'status',
  'severity',
  'id',
  'advisory',
  'package',
  'kind',
  'installed',
  'fixed',
  'fix_state',
  'exploited',
  'epss',
  'cvss_score',
  'layer',
  'path',
  'purl',
  'text',
  'state',
  'suppression',
  'advisories_kind',
  'advisories_digest',
  'advisories_age_hours',
] as const;

type Row = Partial<Record<(typeof HEADER)[number], string | number | boolean | null>>;

export const csvFormat: ReportFormat = {
  render(reports) {
    const rows = reports.flatMap((report) => reportRows(report));
    const lines = [HEADER.join(','), ...rows.map((row) => HEADER.map((name) => cell(row[name])).join(','))];
    return `${lines.join('\r\n')}\r\n`;
  },
};

function reportRows(report: ScanReport): readonly Row[] {
  const common: Row = {
    target: report.target,
    platform: report.image?.platform ?? null,
    digest: report.image?.digest ?? null,
    status: report.status,
    advisories_kind: report.advisories.kind,
    advisories_digest: report.advisories.digest,
    advisories_age_hours: report.advisories.ageHours,
  };
  const target: Row = { ...common, record: 'target', text: [verdict(report), ...notices(report)].join('. ') };
  const findings = report.findings.toSorted(compareFindings).map(
    (finding): Row => ({
      ...common,
      record: 'finding',
      severity: finding.severity,
      id: finding.id,
      advisory: finding.advisory,
      package: finding.package,
      kind: finding.kind,
      installed: finding.installed,
      fixed: finding.fixed,
      fix_state: finding.fixState,
      exploited: finding.exploited,
      epss: finding.epss,
      cvss_score: finding.cvssScore,
      layer: finding.layer,
      path: finding.path,
      purl: finding.purl,
      text: finding.title,
      state: finding.state,
      suppression: suppressionText(finding),
    }),
  );
  const problems = report.problems.map(
    (problem): Row => ({
      ...common,
      record: 'problem',
      id: problem.code,
      layer: problem.layer,
      path: problem.path,
      text: problem.message,
    }),
  );
  const secrets = (report.secrets ?? []).map(
    (secret): Row => ({
      ...common,
      record: 'secret',
      severity: secret.severity,
      id: secret.rule,
      layer: secret.layer,
      path: secret.source === 'file' ? `${secret.path}:${secret.line}` : `${secret.source} ${secret.path}`,
      text: [secret.title, secret.masked, removalText(secret)].filter((part) => part !== '').join(', '),
    }),
  );
  return [target, ...findings, ...secrets, ...problems];
}

/** Quotes a cell; text that a spreadsheet would take for a formula gets a leading apostrophe. */
function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = printable(value);
  const safe = /^\s*[=+\-@\ufffd]/.test(text) ? `'${text}` : text;
  return /[",']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
