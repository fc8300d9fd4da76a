// `-o table`: what to fix first, then counts, then what could not be read; `--all` lists every finding.
import { createColors } from 'picocolors';
import { SEVERITIES, type Severity } from '../../core/index.ts';
import { compareFindings, type Finding, type ScanReport } from '../../scan/index.ts';
import { type Cell, layoutColumns, truncate } from '../columns.ts';
import { type Fix, planFixes } from './fix-plan.ts';
import { type FormatContext, isOpen, type ReportFormat } from './format.ts';
import { removalText, secretPlace, secretsText } from './secret-wording.ts';
import {
  advisoriesLine,
  distributionLine,
  notices,
  printable,
  problemPlace,
  suppressionText,
  verdict,
} from './wording.ts';

/** Upgrades shown before "and N more". */
const FIXES_SHOWN = 10;
const PROBLEMS_SHOWN = 10;

type Colours = ReturnType<typeof createColors>;

/** Severity is a word and a shape, so that colour is never the only signal (WCAG 1.4.1). */
const MARKS: Readonly<Record<Severity, string>> = {
  critical: '◆',
  high: '▲',
  medium: '■',
  low: '●',
  informational: '○',
  unknown: '?',
};

export const tableFormat: ReportFormat = {
  render(reports, context) {
    const colours = createColors(context.colour);
    const sections = reports.map((report) => renderReport(report, context, colours));
    return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
  },
};

function renderReport(report: ScanReport, context: FormatContext, colours: Colours): readonly string[] {
  const lines = [...header(report, colours)];
  if (report.status === 'finished') {
    const fixes = planFixes(report, context.compareVersions);
    lines.push(...fixFirst(fixes, report, context, colours));
    const open = report.findings.filter(isOpen);
    if (open.length > 0) lines.push('', ...severityCounts(open, context, colours));
    if (context.showAll && open.length > 0) {
      lines.push('', colours.bold('EVERY FINDING'), ...allFindings(open, context, colours));
    }
    lines.push(...exemptFindings(report, context, colours));
  }
  lines.push(...secretLines(report, context, colours));
  lines.push(...problems(report, context, colours));
  for (const notice of notices(report)) lines.push('', `${colours.yellow('NOTICE')}  ${printable(notice)}`);
  return lines.map((line) => line.trimEnd());
}

function header(report: ScanReport, colours: Colours): readonly string[] {
  const { image } = report;
  const parts = [colours.bold(printable(report.target))];
  if (image?.platform) parts.push(printable(image.platform));
  if (image) parts.push(printable(image.digest));
  const facts: string[] = [];
  if (report.distribution) facts.push(distributionLine(report));
  if (image) {
    const cached = image.layers.filter((layer) => layer.cached).length;
    const size = image.layers.reduce((sum, layer) => sum + layer.size, 0);
    const from = cached > 0 ? `, ${cached} from cache` : '';
    facts.push(`${plural(image.layers.length, 'layer')} (${megabytes(size)}${from})`);
  }
  facts.push(plural(report.packages.length, 'package'));
  return [parts.join('  '), facts.join(' · '), advisoriesLine(report), '', verdictLine(report, colours)];
}

function verdictLine(report: ScanReport, colours: Colours): string {
  const text = verdict(report);
  if (report.status === 'unscannable') return colours.bold(colours.red(text));
  return report.findings.some(isOpen) ? colours.bold(text) : text;
}

function fixFirst(
  fixes: readonly Fix[],
  report: ScanReport,
  context: FormatContext,
  colours: Colours,
): readonly string[] {
  if (fixes.length === 0) {
    return report.findings.some(isOpen) ? ['', 'No finding has a fixing version yet.'] : [];
  }
  const shown = context.showAll ? fixes : fixes.slice(0, FIXES_SHOWN);
  const rows = shown.map((fix): readonly Cell[] => [
    severityCell(fix.severity, colours),
    { text: printable(packageText(fix)), paint: colours.bold },
    { text: printable(`${fix.installed} → ${fix.upgradeTo}`) },
    { text: findingsText(fix), ...(fix.exploited > 0 ? { paint: colours.red } : {}) },
    { text: printable(layerText(fix, report)), paint: colours.dim },
  ]);
  const columns = [
    { title: '' },
    { title: '', shrinkTo: 16 },
    { title: '' },
    { title: '', priority: 1 },
    { title: '', priority: 2, shrinkTo: 10 },
  ];
  const lines = ['', colours.bold('FIX FIRST'), ...layoutColumns(columns, rows, context.width, '  ')];
  const rest = fixes.length - shown.length;
  if (rest > 0) lines.push(`  … and ${rest} more; --all shows them`);
  return lines;
}

/** Secrets lead with their number; a deleted file is still in its layer. */
function secretLines(report: ScanReport, context: FormatContext, colours: Colours): readonly string[] {
  const { secrets = [] } = report;
  const text = secretsText(report);
  if (text === undefined || report.status !== 'finished') return [];
  if (secrets.length === 0) return ['', `${colours.bold('SECRETS')}  none found`];
  const shown = context.showAll ? secrets : secrets.slice(0, FIXES_SHOWN);
  const rows = shown.map((secret): readonly Cell[] => [
    severityCell(secret.severity, colours),
    { text: printable(secret.title), paint: colours.bold },
    { text: printable(secret.masked) },
    { text: printable(secretPlace(secret)) },
    { text: removalText(secret), paint: colours.dim },
  ]);
  const columns = [
    { title: '' },
    { title: '', shrinkTo: 16 },
    { title: '' },
    { title: '', shrinkTo: 20 },
    { title: '', priority: 1 },
  ];
  const rest = secrets.length - shown.length;
  return [
    '',
    `${colours.bold('SECRETS')}  ${text}`,
    ...layoutColumns(columns, rows, context.width, '  '),
    ...(rest > 0 ? [`  … and ${rest} more; --all shows them`] : []),
  ];
}

function severityCounts(
  findings: readonly Finding[],
  context: FormatContext,
  colours: Colours,
): readonly string[] {
  const rows = SEVERITIES.flatMap((severity): (readonly Cell[])[] => {
    const ofSeverity = findings.filter((finding) => finding.severity === severity);
    return ofSeverity.length === 0 ? [] : [[severityCell(severity, colours), ...counts(ofSeverity)]];
  });
  const columns = [
    { title: 'SEVERITY' },
    { title: 'TOTAL', align: 'right' as const },
    { title: 'FIXABLE', align: 'right' as const },
    { title: 'EXPLOITED', align: 'right' as const },
  ];
  return layoutColumns(columns, [...rows, [{ text: 'total' }, ...counts(findings)]], context.width);
}

function counts(findings: readonly Finding[]): readonly Cell[] {
  const fixable = findings.filter((finding) => finding.fixed !== null).length;
  const exploited = findings.filter((finding) => finding.exploited).length;
  return [{ text: String(findings.length) }, { text: String(fixable) }, { text: String(exploited) }];
}

/** `exploited 2021-12-10, ransomware` by CISA's catalogue, else `proof of concept`, else nothing. */
function exploitText({ exploited, kev, exploitMaturity }: Finding): string {
  if (exploited) {
    const added = typeof kev?.added === 'string' ? ` ${kev.added}` : '';
    return printable(`exploited${added}${kev?.ransomware === true ? ', ransomware' : ''}`);
  }
  if (exploitMaturity === 'functional') return 'exploit exists';
  return exploitMaturity === 'proof-of-concept' ? 'proof of concept' : '';
}

/** Probability and, where known, the share of all flaws that are less likely: `94.4 % (top 0.1 %)`. */
function epssText({ epss, epssPercentile }: Finding): string {
  if (epss === null) return '';
  const rank = epssPercentile === undefined ? '' : ` (top ${((1 - epssPercentile) * 100).toFixed(1)} %)`;
  return `${(epss * 100).toFixed(1)} %${rank}`;
}

function allFindings(
  findings: readonly Finding[],
  context: FormatContext,
  colours: Colours,
): readonly string[] {
  const rows = findings
    .toSorted(compareFindings)
    .map((finding): readonly Cell[] => [
      severityCell(finding.severity, colours),
      { text: printable(finding.id) },
      { text: printable(finding.package) },
      { text: printable(finding.installed) },
      { text: printable(finding.fixed ?? finding.fixState) },
      { text: exploitText(finding) },
      { text: epssText(finding) },
      { text: String(finding.layer) },
      { text: printable(finding.path), paint: colours.dim },
      { text: printable(finding.title), paint: colours.dim },
    ]);
  const columns = [
    { title: 'SEVERITY' },
    { title: 'ID' },
    { title: 'PACKAGE', shrinkTo: 16 },
    { title: 'INSTALLED', shrinkTo: 12 },
    { title: 'FIXED', shrinkTo: 12 },
    { title: 'KEV', priority: 1 },
    { title: 'EPSS', priority: 3, align: 'right' as const },
    { title: 'LAYER', priority: 2, align: 'right' as const },
    { title: 'FOUND IN', priority: 4, shrinkTo: 20 },
    { title: 'TITLE', priority: 5, shrinkTo: 20 },
  ];
  return layoutColumns(columns, rows, context.width);
}

/** Exempt findings are always counted; `--show-exempt` lists them with who took them on, why and until when. */
function exemptFindings(report: ScanReport, context: FormatContext, colours: Colours): readonly string[] {
  const exempt = report.findings.filter((finding) => !isOpen(finding));
  if (exempt.length === 0) return [];
  if (!context.showExempt) return ['', `${exempt.length} exempt, --show-exempt`];
  const rows = exempt
    .toSorted(compareFindings)
    .map((finding): readonly Cell[] => [
      severityCell(finding.severity, colours),
      { text: printable(finding.id) },
      { text: printable(`${finding.package} ${finding.installed}`) },
      { text: printable(suppressionText(finding)) },
    ]);
  const columns = [
    { title: 'SEVERITY' },
    { title: 'ID' },
    { title: 'PACKAGE', shrinkTo: 16 },
    { title: 'WHY', shrinkTo: 20 },
  ];
  return ['', colours.bold(`EXEMPT (${exempt.length})`), ...layoutColumns(columns, rows, context.width)];
}

function problems(report: ScanReport, context: FormatContext, colours: Colours): readonly string[] {
  if (report.problems.length === 0) return [];
  const shown = context.showAll ? report.problems : report.problems.slice(0, PROBLEMS_SHOWN);
  const lines = ['', colours.bold(`COULD NOT READ (${report.problems.length})`)];
  for (const problem of shown) {
    const text = `${problemPlace(problem)}: ${problem.message} (${problem.code})`;
    lines.push(`  ${truncate(printable(text), Math.max(40, context.width - 2))}`);
  }
  const rest = report.problems.length - shown.length;
  if (rest > 0) lines.push(`  … and ${rest} more; --all shows them`);
  return lines;
}

function severityCell(severity: Severity, colours: Colours): Cell {
  const paint =
    severity === 'critical' ? colours.red : severity === 'high' ? colours.magenta : (text: string) => text;
  return { text: `${MARKS[severity]} ${severity}`, paint };
}

function packageText(fix: Fix): string {
  const others = fix.packages.filter((name) => name !== fix.name);
  return others.length === 0 ? fix.name : `${fix.name} (${others.join(', ')})`;
}

function findingsText(fix: Fix): string {
  const exploited = fix.exploited > 0 ? `, ${fix.exploited} exploited (KEV)` : '';
  return `${plural(fix.findings, 'finding')}${exploited}`;
}

function layerText(fix: Fix, report: ScanReport): string {
  const layer = report.image?.layers[fix.layer];
  if (layer === undefined) return fix.path;
  const instruction = (layer.instruction ?? '').replace(/^\/bin\/sh -c (#\(nop\)\s*)?/, '').trim();
  return `layer ${fix.layer}${instruction === '' ? '' : `, ${instruction}`}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function megabytes(bytes: number): string {
  if (bytes < 100_000) return `${Math.ceil(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}
