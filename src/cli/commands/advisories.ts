// `breakwater advisories build|status|lookup`.
import {
  type Advisory,
  type AdvisoryFile,
  type AffectedPackage,
  buildAdvisoryFile,
  lookupAdvisories,
  matchVersion,
  rangeInWords,
  versionScheme,
} from '../../advisories/index.ts';
import { systemClock } from '../../core/index.ts';
import { openAdvisories } from '../advisories-source.ts';
import { layoutColumns } from '../columns.ts';
import type { CommandAction, CommandContext } from '../command-line.ts';
import { cliErrors } from '../errors.ts';
import { age, printable } from '../formats/wording.ts';
import { optionText, optionTexts, requiredText } from '../option-values.ts';
import { type Output, parseOutputs, writeOutput } from '../output.ts';
import { ProgressLine } from '../progress-line.ts';

const FORMATS = ['text', 'json'] as const;
type AdvisoryOutputs = readonly Output<(typeof FORMATS)[number]>[];

export const build: CommandAction = async (context, sources, options) => {
  const outputs = parseOutputs(optionTexts(options['output']), FORMATS, 'text');
  const out = requiredText(options['out'], '--out');
  const progress = new ProgressLine(context.terminal, options['quiet'] === true);
  const started = performance.now();
  const result = await buildAdvisoryFile(sources, out, {
    clock: systemClock,
    onProgress: (step) =>
      progress.show(
        step.step === 'writing'
          ? `writing ${step.advisories} advisories`
          : `${step.done} of ${step.total} sources  ${step.source.name}: ${step.source.records} records`,
      ),
  }).finally(() => progress.clear());
  for (const problem of result.problems) context.terminal.err(`not read: ${printable(problem)}\n`);
  const { info, bytes } = result;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const text = `${out}: ${info.advisories} advisories, ${info.packages} packages, ${(bytes / 1_000_000).toFixed(1)} MB, ${info.digest}, ${seconds} s\n`;
  await write(outputs, { path: out, bytes, ...info, problems: result.problems }, text, context);
  return 0;
};

export const status: CommandAction = async (context, _args, options) => {
  const outputs = parseOutputs(optionTexts(options['output']), FORMATS, 'text');
  const advisories = openAdvisories(optionText(options['advisories']), context.environment);
  try {
    const { info } = advisories;
    const ageHours = (systemClock.now() - Date.parse(info.builtAt)) / 3_600_000;
    await write(
      outputs,
      { ...info, ageHours, ecosystems: advisories.ecosystems() },
      statusText(advisories, ageHours),
      context,
    );
    const { maxAge } = options;
    if (typeof maxAge !== 'number' || ageHours * 3_600_000 <= maxAge) return 0;
    throw cliErrors.create('CLI_ADVISORIES_TOO_OLD', { age: age(ageHours), limit: age(maxAge / 3_600_000) });
  } finally {
    advisories.close();
  }
};

export const lookup: CommandAction = async (context, [question = ''], options) => {
  const outputs = parseOutputs(optionTexts(options['output']), FORMATS, 'text');
  const advisories = openAdvisories(optionText(options['advisories']), context.environment);
  try {
    const { name, version } = splitVersion(question);
    const found = lookupAdvisories(advisories, name);
    const text =
      found.kind === 'advisories'
        ? found.advisories.map(advisoryText).join('\n')
        : nothingText(name, advisories);
    if (found.kind !== 'package') {
      await write(outputs, found, text, context);
      return 0;
    }
    const rows = found.statements.map(({ affected, advisory }) => statementRow(affected, advisory, version));
    const none = `no advisories about ${found.name} in ${found.ecosystem}\n`;
    const json = { ...found, version: version ?? null, statements: rows };
    await write(outputs, json, rows.length === 0 ? none : lookupText(rows, context), context);
    return 0;
  } finally {
    advisories.close();
  }
};

/** `npm/@scope/name@1.0` to name and version; advisory ids have no slash and no version. */
export function splitVersion(question: string): {
  readonly name: string;
  readonly version: string | undefined;
} {
  const slash = question.indexOf('/');
  const at = question.lastIndexOf('@');
  // The first character of a package's name may be the @ of an npm scope.
  if (slash <= 0 || at <= slash + 1) return { name: question, version: undefined };
  return { name: question.slice(0, at), version: question.slice(at + 1) };
}

/** What one advisory says of the package: of all its versions, or of the one asked about. */
function statementRow(affected: AffectedPackage, advisory: Advisory, version: string | undefined) {
  const scheme = versionScheme(affected.ecosystem);
  const verdict = version !== undefined && scheme ? matchVersion(affected, version, scheme) : undefined;
  const ranges = affected.ranges.map(rangeInWords);
  return {
    advisory: advisory.id,
    aliases: advisory.aliases,
    severity: advisory.severity,
    affected: verdict === undefined || 'undecided' in verdict ? null : verdict.affected,
    fixed: verdict?.affected
      ? verdict.fixed
      : (affected.ranges.findLast((range) => range.fixed)?.fixed ?? null),
    ranges: ranges.length > 0 ? ranges : affected.versions.slice(0, 20),
    summary: advisory.summary,
  };
}

function nothingText(name: string, advisories: AdvisoryFile): string {
  const ecosystem = name.includes('/') ? name.slice(0, name.indexOf('/')) : undefined;
  if (ecosystem === undefined) return `no advisory ${printable(name)}\n`;
  const known = advisories.ecosystems().slice(0, 30).join(', ');
  return `no data for ${printable(ecosystem)}: nothing is known, which is not the same as not affected\nthere is data for ${known}\n`;
}

function lookupText(rows: readonly ReturnType<typeof statementRow>[], { terminal }: CommandContext): string {
  const columns = [
    { title: 'ADVISORY' },
    { title: 'SEVERITY' },
    { title: 'AFFECTED', priority: 1 },
    { title: 'FIXED' },
    { title: 'RANGES', shrinkTo: 12 },
    { title: 'SUMMARY', priority: 2, shrinkTo: 20 },
  ];
  const cells = rows.map((row) =>
    [
      row.aliases.find((alias) => alias.startsWith('CVE-')) ?? row.advisory,
      row.severity,
      row.affected === null ? '' : row.affected ? 'yes' : 'no',
      row.fixed ?? '',
      row.ranges.join(', '),
      row.summary,
    ].map((text) => ({ text: printable(text) })),
  );
  return `${layoutColumns(columns, cells, terminal.width).join('\n')}\n`;
}

function statusText({ info }: AdvisoryFile, ageHours: number): string {
  const lines = [
    info.kind === 'starter'
      ? `starter advisories: ${info.advisories} entries; run advisories update`
      : `${info.advisories} advisories about ${info.packages} packages`,
    `built ${info.builtAt}, ${age(ageHours)} ago`,
    info.digest,
    ...info.sources.map(
      (source) => `  ${source.name}: ${source.records} records, newest ${source.newest ?? 'unknown'}`,
    ),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function advisoryText(advisory: Advisory): string {
  const lines = [
    `${advisory.id}  ${advisory.severity} (${advisory.severitySource})${exploitation(advisory)}`,
    ...(advisory.aliases.length > 0 ? [`also ${advisory.aliases.join(', ')}`] : []),
    advisory.summary,
    ...advisory.references.slice(0, 10).map((reference) => `  ${reference}`),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** `  exploited (KEV 2021-12-10, ransomware)  EPSS 94.4 % (top 0.1 %)`, what of it is known. */
function exploitation({ exploited, kev, epss, epssPercentile, exploitMaturity }: Advisory): string {
  const listed = ['KEV', ...(kev?.added ? [kev.added] : [])].join(' ');
  const rank = epssPercentile === undefined ? '' : ` (top ${percent(1 - epssPercentile)})`;
  const parts = [
    ...(exploited ? [`exploited (${listed}${kev?.ransomware === true ? ', ransomware' : ''})`] : []),
    ...(!exploited && exploitMaturity !== undefined ? [`exploit ${exploitMaturity}`] : []),
    ...(epss === null ? [] : [`EPSS ${percent(epss)}${rank}`]),
  ];
  return parts.map((part) => `  ${part}`).join('');
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

async function write(
  outputs: AdvisoryOutputs,
  value: unknown,
  text: string,
  { terminal }: CommandContext,
): Promise<void> {
  for (const output of outputs) {
    await writeOutput(
      output,
      output.format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : text,
      terminal,
    );
  }
}
