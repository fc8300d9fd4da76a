// The order in which findings are shown everywhere: in reports, in the API and on the page of an image.
import { severityRank } from '../core/index.ts';
import type { Finding } from './types.ts';

/** Orders findings by what matters most to somebody who can fix only some of them. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    Number(b.exploited) - Number(a.exploited) ||
    severityRank(a.severity) - severityRank(b.severity) ||
    (b.epss ?? 0) - (a.epss ?? 0) ||
    Number(b.fixed !== null) - Number(a.fixed !== null) ||
    compareText(a.package, b.package) ||
    compareText(a.id, b.id)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
