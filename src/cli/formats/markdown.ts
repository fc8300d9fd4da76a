// `-o markdown`: a report for pull requests and tickets (GitHub flavoured tables).
import { SEVERITIES } from '../../core/index.ts';
import { compareFindings, type Finding, type ScanReport, type SecretFinding } from '../../scan/index.ts';
import { planFixes } from './fix-plan.ts';
import { type FormatContext, isOpen, type ReportFormat } from './format.ts';
import { removalText, secretPlace } from './secret-wording.ts';
import {
  advisoriesLine,
  distributionLine,
  notices,
  printable,
  problemPlace,
  suppressionText,
  verdict,
} from './wording.ts';

export const markdownFormat: ReportFormat = {
  render: (reports, context) =>
    `${reports.map((report) => renderReport(report, context).join('\n')).join('\n\n')}\n`,
};

function renderReport(report: ScanReport, context: FormatContext): readonly string[] {
  const platform = report.image?.platform ? ` (${escape(report.image.platform)})` : '';
  const lines = [`## ${escape(report.target)}${platform}`, '', `**${escape(verdict(report))}**`, ''];
  if (report.image) lines.push(`Image \`${report.image.digest}\``, '');
  if (report.distribution) lines.push(escape(distributionLine(report)), '');
  lines.push(escape(advisoriesLine(report)), '');
  for (const notice of notices(report)) lines.push(`> **Notice:** ${escape(notice)}`, '');
  if (report.status === 'finished' && report.findings.length > 0) {
    const open = report.findings.filter(isOpen);
    if (open.length > 0) lines.push(...fixes(report, context), ...counts(open), ...findings(open));
    lines.push(...exempt(report));
  }
  if (report.secrets !== undefined && report.secrets.length > 0) lines.push(...secrets(report.secrets));
  if (report.problems.length > 0) lines.push(...problems(report));
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function fixes(report: ScanReport, context: FormatContext): readonly string[] {
  const plan = planFixes(report, context.compareVersions);
  if (plan.length === 0) return ['No finding has a fixing version yet.', ''];
  return [
    '### Fix first',
    '',
    ...table(
      ['Severity', 'Package', 'Installed', 'Upgrade to', 'Findings', 'Exploited'],
      plan.map((fix) => [
        fix.severity,
        fix.name,
        fix.installed,
        fix.upgradeTo,
        String(fix.findings),
        String(fix.exploited),
      ]),
    ),
    '',
  ];
}

function counts(open: readonly Finding[]): readonly string[] {
  const rows = SEVERITIES.flatMap((severity) => {
    const ofSeverity = open.filter((finding) => finding.severity === severity);
    if (ofSeverity.length === 0) return [];
    const fixable = ofSeverity.filter((finding) => finding.fixed !== null).length;
    const exploited = ofSeverity.filter((finding) => finding.exploited).length;
    return [[severity, String(ofSeverity.length), String(fixable), String(exploited)]];
  });
  return ['### Severity', '', ...table(['Severity', 'Total', 'Fixable', 'Exploited'], rows), ''];
}

function findings(open: readonly Finding[]): readonly string[] {
  const rows = open
    .toSorted(compareFindings)
    .map((finding) => [
      finding.severity,
      finding.id,
      finding.package,
      finding.installed,
      finding.fixed ?? finding.fixState,
      finding.exploited ? 'yes' : 'no',
      finding.title,
    ]);
  const header = ['Severity', 'Id', 'Package', 'Installed', 'Fixed', 'Exploited', 'Title'];
  return ['### Findings', '', ...table(header, rows), ''];
}

function exempt(report: ScanReport): readonly string[] {
  const rows = report.findings
    .filter((finding) => !isOpen(finding))
    .toSorted(compareFindings)
    .map((finding) => [finding.severity, finding.id, finding.package, suppressionText(finding)]);
  if (rows.length === 0) return [];
  return ['### Exempt', '', ...table(['Severity', 'Id', 'Package', 'Why'], rows), ''];
}

function secrets(found: readonly SecretFinding[]): readonly string[] {
  const rows = found.map((secret) => [
    secret.severity,
    secret.title,
    secret.masked,
    [secretPlace(secret), removalText(secret)].filter((part) => part !== '').join(', '),
  ]);
  return ['### Secrets', '', ...table(['Severity', 'Kind', 'Value', 'Where'], rows), ''];
}

function problems(report: ScanReport): readonly string[] {
  const rows = report.problems.map((problem) => [problemPlace(problem), problem.code, problem.message]);
  return ['### Could not read', '', ...table(['Where', 'Code', 'Problem'], rows), ''];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [header, header.map(() => '---'), ...rows.map((row) => row.map(escape))].map(
    (row) => `| ${row.join(' | ')} |`,
  );
}

/** No character of a package name or title may start Markdown or HTML of its own. */
function escape(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_{}[\]()#+!|~>@]/g, '\\$&');
}
