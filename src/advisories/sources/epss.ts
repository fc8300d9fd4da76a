// EPSS scores (first.org/epss/data_stats): lines of `cve,epss,percentile` after a comment and a header line.
import type { SourceItem } from './lines.ts';

/** One line of the file as CVE facts; undefined for the comment and the header. */
export function parseEpssLine(line: string): SourceItem | undefined {
  if (line.startsWith('#') || line.startsWith('cve,')) return undefined;
  const match = /^"?(CVE-\d{4}-\d{4,19})"?,([\d.eE+-]{1,32}),([\d.eE+-]{1,32})$/.exec(line);
  if (match === null) return { unreadable: 'not a line of EPSS' };
  const [, cve, epss, percentile] = match;
  return { value: { cve, epss: Number(epss), percentile: Number(percentile) } };
}
