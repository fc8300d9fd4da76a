// The contract of an output format: scan reports in, one document out.
import type { Finding, ScanReport } from '../../scan/index.ts';

/** What a format may need to know besides the reports. */
export interface FormatContext {
  readonly toolVersion: string;
  /** Columns of the terminal; only `table` looks at it. */
  readonly width: number;
  readonly colour: boolean;
  /** List every finding instead of what to fix first. */
  readonly showAll: boolean;
  /** List exempt findings in the table; without it they are only counted. */
  readonly showExempt: boolean;
  /** Orders two versions of one kind of package, to pick the version that fixes most. */
  readonly compareVersions: (kind: string, a: string, b: string) => number;
}

/** Does the finding count, or has somebody taken it on? */
export function isOpen(finding: Pick<Finding, 'state'>): boolean {
  return finding.state !== 'exempt';
}

export interface ReportFormat {
  /** The whole document, ending in a newline. Pure: the same reports give the same bytes. */
  render(reports: readonly ScanReport[], context: FormatContext): string;
}

/** Names accepted by `-o`. */
export const FORMAT_NAMES = [
  'table',
  'json',
  'sarif',
  'cyclonedx',
  'spdx',
  'csv',
  'markdown',
  'junit',
  'github',
  'openvex',
  'cyclonedx-vex',
] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

/** Loads a format only when it is asked for, so that `--help` stays fast. */
export async function loadFormat(name: FormatName): Promise<ReportFormat> {
  switch (name) {
    case 'table':
      return (await import('./table.ts')).tableFormat;
    case 'json':
      return (await import('./json.ts')).jsonFormat;
    case 'sarif':
      return (await import('./sarif.ts')).sarifFormat;
    case 'cyclonedx':
      return (await import('./cyclonedx.ts')).cyclonedxFormat;
    case 'spdx':
      return (await import('./spdx.ts')).spdxFormat;
    case 'csv':
      return (await import('./csv.ts')).csvFormat;
    case 'markdown':
      return (await import('./markdown.ts')).markdownFormat;
    case 'junit':
      return (await import('./junit.ts')).junitFormat;
    case 'github':
      return (await import('./github.ts')).githubFormat;
    case 'openvex':
      return (await import('./openvex.ts')).openvexFormat;
    case 'cyclonedx-vex':
      return (await import('./cyclonedx-vex.ts')).cyclonedxVexFormat;
  }
}
