// `-o github`: workflow commands of GitHub Actions that become annotations, the most important finding first.
import type { Severity } from '../../core/index.ts';
import { compareFindings, type Finding, type ScanReport } from '../../scan/index.ts';
import { isOpen, type ReportFormat } from './format.ts';
import { advisoriesLine, notices, printable, problemPlace, verdict } from './wording.ts';

type Level = 'error' | 'warning' | 'notice';

export const githubFormat: ReportFormat = {
  render: (reports) => `${reports.flatMap(commands).join('\n')}\n`,
};

function commands(report: ScanReport): readonly string[] {
  const summary = command(report.status === 'finished' ? 'notice' : 'error', report.target, null, [
    verdict(report),
    advisoriesLine(report),
  ]);
  return [
    ...report.findings.filter(isOpen).toSorted(compareFindings).map(findingCommand),
    ...report.problems.map((problem) =>
      command('warning', `could not read ${problemPlace(problem)}`, problem.path, [
        problem.message,
        problem.code,
      ]),
    ),
    ...notices(report).map((notice) => command('notice', report.target, null, [notice])),
    summary,
  ];
}

function findingCommand(finding: Finding): string {
  const { id, severity, package: name, installed, fixed, fixState, path, layer, title } = finding;
  const fix = fixed === null ? `no fixed version (${fixState})` : `upgrade to ${fixed} or later`;
  const exploited = finding.exploited ? ['exploited (KEV)'] : [];
  return command(level(severity), `${id} in ${name} ${installed}`, path, [
    `${severity}: ${title}`,
    fix,
    ...exploited,
    `layer ${layer}: ${path}`,
  ]);
}

function level(severity: Severity): Level {
  if (severity === 'critical' || severity === 'high') return 'error';
  return severity === 'medium' || severity === 'unknown' ? 'warning' : 'notice';
}

function command(kind: Level, title: string, file: string | null, lines: readonly string[]): string {
  const properties = [...(file === null ? [] : [`file=${property(file)}`]), `title=${property(title)}`];
  return `::${kind} ${properties.join(',')}::${data(lines.join('\n'))}`;
}

/** Escapes as the runner reads it; a text cannot start a command of its own. */
function data(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line).replaceAll('%', '%25'))
    .join('%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
