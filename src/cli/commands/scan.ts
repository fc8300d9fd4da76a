// `breakwater scan TARGET`: scans without a server and says what to fix first.
import type { AdvisoryFile } from '../../advisories/index.ts';
import { reachesSeverity, type Severity, systemClock } from '../../core/index.ts';
import { adviseUpgrades, type ScanReport } from '../../scan/index.ts';
import { openAdvisories } from '../advisories-source.ts';
import type { CommandAction, CommandContext } from '../command-line.ts';
import { cliErrors } from '../errors.ts';
import { type FormatContext, isOpen, loadFormat } from '../formats/format.ts';
import { age } from '../formats/wording.ts';
import { optionText, optionTexts } from '../option-values.ts';
import { parseReportOutputs, writeOutput } from '../output.ts';
import { parseTarget } from '../scan-target.ts';
import { attachWished, markFindings, registryWishes } from '../scanned-registry.ts';
import { readSuppressionSources } from '../suppression-sources.ts';
import { scanTarget, targetScanSettings } from '../target-scan.ts';
import { compareVersions } from '../version-order.ts';
import { VERSION } from '../version.ts';

interface ScanSettings {
  readonly failOn: Severity | undefined;
  readonly severities: readonly Severity[] | undefined;
  readonly fixable: boolean;
  readonly maxAgeMs: number | undefined;
  readonly all: boolean;
  readonly showExempt: boolean;
  readonly quiet: boolean;
}

export const scan: CommandAction = async (context, [text = ''], options) => {
  const { terminal } = context;
  const settings = readSettings(options);
  const outputs = parseReportOutputs(optionTexts(options['output']));
  const target = parseTarget(text, options['offline'] === true);
  const wishes = registryWishes(options, target);
  const sources = await readSuppressionSources(options);
  const advisories = openAdvisories(optionText(options['advisories']), context.environment);
  try {
    refuseOldAdvisories(advisories, settings.maxAgeMs);
    const reading = targetScanSettings(options, context.environment);
    const found = await scanTarget(target, advisories, reading, context);
    const marked = await markFindings(found, sources, target, wishes, context);
    const reports = marked
      .map((report) => ({ ...report, upgrades: adviseUpgrades(report, advisories) }))
      .map((report) => filterReport(report, settings));
    const format: FormatContext = {
      toolVersion: VERSION,
      width: terminal.width,
      colour: terminal.colour,
      showAll: settings.all,
      showExempt: settings.showExempt,
      compareVersions,
    };
    for (const output of outputs) {
      const plain = output.file === null ? format : { ...format, colour: false };
      await writeOutput(output, (await loadFormat(output.format)).render(reports, plain), terminal);
    }
    await attachWished(marked, target, wishes, format, context);
    return conclude(reports, settings, text, context);
  } finally {
    advisories.close();
  }
};

function readSettings(options: Readonly<Record<string, unknown>>): ScanSettings {
  const { failOn, severity, maxAge } = options;
  return {
    failOn: isSeverity(failOn) ? failOn : undefined,
    severities: Array.isArray(severity) ? severity.filter(isSeverity) : undefined,
    fixable: options['fixable'] === true,
    maxAgeMs: typeof maxAge === 'number' ? maxAge : undefined,
    all: options['all'] === true,
    showExempt: options['showExempt'] === true,
    quiet: options['quiet'] === true,
  };
}

/** Option parsers have checked the text already; this only tells the compiler. */
function isSeverity(value: unknown): value is Severity {
  return typeof value === 'string';
}

function refuseOldAdvisories(advisories: AdvisoryFile, maxAgeMs: number | undefined): void {
  if (maxAgeMs === undefined) return;
  const ageMs = systemClock.now() - Date.parse(advisories.info.builtAt);
  if (ageMs <= maxAgeMs) return;
  throw cliErrors.create('CLI_ADVISORIES_TOO_OLD', {
    age: age(ageMs / 3_600_000),
    limit: age(maxAgeMs / 3_600_000),
  });
}

/** What a filter hides is said in the report: a shortened list must not look like the whole. */
function filterReport(report: ScanReport, settings: ScanSettings): ScanReport {
  const { severities, fixable } = settings;
  const findings = report.findings.filter(
    (finding) =>
      (severities === undefined || severities.includes(finding.severity)) &&
      (!fixable || finding.fixed !== null),
  );
  const hidden = report.findings.length - findings.length;
  if (hidden === 0) return report;
  const filters = [
    ...(severities ? [`--severity ${severities.join(',')}`] : []),
    ...(fixable ? ['--fixable'] : []),
  ];
  const notice = `${hidden} ${hidden === 1 ? 'finding is' : 'findings are'} not shown (${filters.join(' ')})`;
  const { advisories } = report;
  return { ...report, findings, advisories: { ...advisories, notices: [...advisories.notices, notice] } };
}

function conclude(
  reports: readonly ScanReport[],
  { failOn, all, quiet }: ScanSettings,
  target: string,
  { terminal }: CommandContext,
): number {
  const findings = reports.flatMap((report) => report.findings.filter(isOpen));
  if (!quiet && findings.length > 0) {
    const hints = [
      ...(all ? [] : ['--all for every finding']),
      `breakwater scan ${target} -o sarif=report.sarif`,
    ];
    terminal.err(`\nNext:  ${hints.join('   ·   ')}\n`);
  }
  if (failOn !== undefined) {
    const secrets = reports.flatMap((report) => report.secrets ?? []);
    const reached = [...findings, ...secrets].filter(({ severity }) =>
      reachesSeverity(severity, failOn),
    ).length;
    if (reached > 0) {
      terminal.err(
        `exit 1: ${reached} ${reached === 1 ? 'finding' : 'findings'} at or above --fail-on ${failOn}\n`,
      );
      return 1;
    }
  }
  const unscanned = reports.filter((report) => report.status === 'unscannable');
  if (unscanned.length === reports.length) {
    terminal.err(`exit 3: nothing could be scanned: ${unscanned[0]?.reason ?? 'unknown reason'}\n`);
    return 3;
  }
  return 0;
}
