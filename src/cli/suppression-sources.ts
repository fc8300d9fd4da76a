// Where exemptions and VEX documents come from: --ignore-file, --vex, and with --vex-from-registry the image's referrers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../core/index.ts';
import {
  type Exemption,
  MAX_EXEMPTION_FILE_BYTES,
  MAX_VEX_BYTES,
  parseExemptionFile,
  parseVexDocument,
  type ScanReport,
  suppressFindings,
  type VexDocument,
} from '../scan/index.ts';
import { readInputFile } from './input-file.ts';
import { optionText, optionTexts } from './option-values.ts';

/** Used when it exists in the working directory and no other file is named. */
export const DEFAULT_EXEMPTION_FILE = join('.breakwater', 'exemptions.yaml');

/** What the command line names. Files that cannot be read or understood end the command. */
export interface SuppressionSources {
  readonly exemptions: readonly Exemption[];
  readonly vex: readonly VexDocument[];
}

/** @throws CLI_FILE_UNREADABLE, SCAN_EXEMPTIONS_INVALID, SCAN_VEX_INVALID */
export async function readSuppressionSources(
  options: Readonly<Record<string, unknown>>,
): Promise<SuppressionSources> {
  const named = optionText(options['ignoreFile']);
  const file = named ?? (existsSync(DEFAULT_EXEMPTION_FILE) ? DEFAULT_EXEMPTION_FILE : undefined);
  const exemptions =
    file === undefined
      ? []
      : parseExemptionFile((await readInputFile(file, MAX_EXEMPTION_FILE_BYTES)).toString('utf8'), file);
  const vex: VexDocument[] = [];
  for (const path of optionTexts(options['vex'])) {
    vex.push(parseVexDocument(await readInputFile(path, MAX_VEX_BYTES), path));
  }
  return { exemptions, vex };
}

/** Marks what is exempt, and says in the first report which exemptions have expired or cover nothing. */
export function applySuppressions(
  reports: readonly ScanReport[],
  sources: SuppressionSources,
): readonly ScanReport[] {
  const { reports: marked, expired, unused } = suppressFindings(reports, sources, systemClock.now());
  const notices = [
    ...expired.map(
      (exemption) =>
        `exemption ${exemption.source} (${subjectOf(exemption)}, ${exemption.owner}) expired after ${exemption.expires}: its findings count again`,
    ),
    ...unused.map(
      (exemption) => `exemption ${exemption.source} (${subjectOf(exemption)}) covers no finding here`,
    ),
  ];
  const [first, ...rest] = marked;
  if (first === undefined || notices.length === 0) return marked;
  const { advisories } = first;
  return [{ ...first, advisories: { ...advisories, notices: [...advisories.notices, ...notices] } }, ...rest];
}

function subjectOf({ vulnerability, package: name, path }: Exemption): string {
  return [vulnerability, name, path].filter((part) => part !== undefined).join(' ');
}
