// An explanation in words: the answer in one line, then each package with what was compared.
import type { ExplainedPackage, Explanation } from '../scan/index.ts';
import { age, printable, suppressionText } from './formats/wording.ts';

/** Lines for a person; every text of foreign origin is made printable. */
export function explanationText(explanation: Explanation): string {
  const lines = [answer(explanation)];
  for (const { id, summary, source, withdrawn, aliases } of explanation.advisories) {
    const names = aliases.length === 0 ? '' : ` (also ${aliases.join(', ')})`;
    const end = withdrawn === null ? '' : `, withdrawn ${withdrawn}`;
    lines.push('', `${id}${names}${end}`, ...(summary === '' ? [] : [`  ${summary}`]), `  source ${source}`);
  }
  for (const item of explanation.packages) lines.push('', ...packageLines(item));
  const { advisories, kind, ageHours } = explanation.data;
  lines.push(
    '',
    `${kind === 'starter' ? 'starter advisories' : 'advisories'}: ${advisories} entries, ${age(ageHours)} old`,
  );
  return `${lines.map((line) => printable(line).trimEnd()).join('\n')}\n`;
}

function answer({ id, target, platform, outcome, packages, data, advisories }: Explanation): string {
  const where = platform === null ? target : `${target} (${platform})`;
  const names = [...new Set(packages.map((item) => `${item.package} ${item.installed}`))].join(', ');
  switch (outcome) {
    case 'applies':
      return `${id} applies to ${where}.`;
    case 'exempt':
      return `${id} applies to ${where}, but is exempt.`;
    case 'not-affected':
      return `${id} does not apply to ${where}: ${names} is not affected.`;
    case 'undecided':
      return `Whether ${id} applies to ${where} is not known: the version of ${names} cannot be compared.`;
    case 'no-such-package':
      return `${id} does not apply to ${where}: it has no package that ${advisories.map((one) => one.id).join(', ')} names.`;
    case 'withdrawn':
      return `${id} does not apply to ${where}: the advisory was withdrawn.`;
    case 'no-such-advisory': {
      const starter =
        data.kind === 'starter' ? ' They are only the starter set: give a full file with --advisories.' : '';
      return `Nothing can be said of ${id}: the advisories in use have no entry of that id.${starter}`;
    }
    case 'not-scanned':
      return `Nothing can be said of ${id}: ${where} could not be scanned.`;
  }
}

const VERDICTS: Readonly<Record<ExplainedPackage['verdict'], string>> = {
  affected: 'AFFECTED',
  'not-affected': 'not affected',
  undecided: 'NOT KNOWN',
  owned: 'matched through its owner',
  'without-code': 'holds no code of its source',
};

function packageLines(item: ExplainedPackage): readonly string[] {
  const layer = item.layerDigest === null ? `${item.layer}` : `${item.layer}  ${item.layerDigest}`;
  return [
    `${item.package} ${item.installed}  ${VERDICTS[item.verdict]}`,
    `  file      ${item.path}`,
    `  layer     ${layer}`,
    ...(item.instruction === null ? [] : [`  made by   ${item.instruction}`]),
    ...(item.ownedBy === null ? [] : [`  owner     ${item.ownedBy}`]),
    `  advisory  ${item.advisory} about ${item.comparedName} in ${item.ecosystem}`,
    `  range     ${item.ranges.length === 0 ? 'none' : item.ranges.join(' · ')}`,
    `  compared  ${comparison(item)}`,
    ...(item.urgency === null ? [] : [`  urgency   ${item.urgency}`]),
    ...outcomeLines(item),
  ];
}

function comparison({ comparedName, comparedVersion, scheme, package: name }: ExplainedPackage): string {
  const what =
    comparedName === name ? comparedVersion : `${comparedVersion} of its source package ${comparedName}`;
  return scheme === null ? `${what}: there is no way to compare it` : `${what}, by the rules of ${scheme}`;
}

function outcomeLines({ verdict, fixed, finding }: ExplainedPackage): readonly string[] {
  if (verdict !== 'affected') return [];
  const fix =
    fixed === null
      ? `no fixed version is named (${finding?.fixState ?? 'unknown'})`
      : `upgrade to ${fixed} or later`;
  const counts =
    finding === null
      ? 'no: it is not in the report'
      : finding.state === 'exempt'
        ? `no, exempt: ${suppressionText(finding)}`
        : 'yes: no exemption and no VEX document covers it';
  const note =
    finding?.vex === undefined
      ? []
      : [`  VEX       ${finding.vex.status}: ${finding.vex.text} (${finding.vex.source})`];
  return [`  fix       ${fix}`, `  counts    ${counts}`, ...note];
}
