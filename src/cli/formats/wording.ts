// Sentences that several formats share, so that "not scanned" never reads like "clean" in any of them.
import type { Finding, ScanProblem, ScanReport } from '../../scan/index.ts';
import { isOpen } from './format.ts';

/** The distribution, and since when it is not supported any more; empty when there is none. */
export function distributionLine({ distribution, distributionSupport }: ScanReport): string {
  if (distribution === null) return '';
  const ended = distributionSupport?.status === 'endOfLife' ? distributionSupport.supportedUntil : null;
  return `${printable(distribution.prettyName)}${ended === null ? '' : ` (end of life since ${ended})`}`;
}

/** One line about the advisory data a report was made with. */
export function advisoriesLine(report: ScanReport): string {
  const { kind, advisories, digest, ageHours } = report.advisories;
  const entries = `${advisories} ${advisories === 1 ? 'entry' : 'entries'}`;
  if (kind === 'starter') return `starter advisories: ${entries}; run advisories update (${digest})`;
  return `advisories: ${entries}, ${age(ageHours)} old, ${digest}`;
}

/** What the reader must know before trusting the result: the notices of the advisory data, each once. */
export function notices(report: ScanReport): readonly string[] {
  const lines = [...report.advisories.notices];
  if (report.advisories.kind === 'starter' && !lines.some((line) => line.includes('starter advisories'))) {
    lines.unshift(advisoriesLine(report));
  }
  return [...new Set(lines)];
}

/** The result in one sentence. */
export function verdict(report: ScanReport): string {
  if (report.status === 'unscannable')
    return `NOT SCANNED: ${report.reason ?? 'the target could not be read'}`;
  const open = report.findings.filter(isOpen).length;
  const exempt = exemptWords(report);
  const packages = `${report.packages.length} ${report.packages.length === 1 ? 'package' : 'packages'}`;
  if (open > 0) return `${open} ${open === 1 ? 'finding' : 'findings'} in ${packages}${exempt}`;
  if (report.packages.length === 0) return 'no packages were found, so nothing could be matched';
  const limit = report.advisories.kind === 'starter' ? ', but only the starter advisories were checked' : '';
  const unread = report.problems.length > 0 ? ', but not everything could be read' : '';
  const what = exempt === '' ? 'no known vulnerabilities' : 'no open findings';
  return `${what} in ${packages}${exempt}${limit}${unread}`;
}

/** `, 3 exempt`, or nothing: what was taken on is counted in every format. */
function exemptWords(report: ScanReport): string {
  const count = report.findings.filter((finding) => !isOpen(finding)).length;
  return count === 0 ? '' : `, ${count} exempt`;
}

/** Why an exempt finding does not count, in one line. */
export function suppressionText({ suppression }: Pick<Finding, 'suppression'>): string {
  if (suppression === undefined) return '';
  const { by, source, reason, owner, until } = suppression;
  const facts = [
    ...(owner === null ? [] : [owner]),
    ...(until === null ? [] : [`until ${until}`]),
    `${by} ${source}`,
  ];
  return `${reason} (${facts.join(', ')})`;
}

/** `2 h`, `3 days`. */
export function age(hours: number): string {
  if (hours < 48) return `${Math.max(0, Math.round(hours))} h`;
  return `${Math.round(hours / 24)} days`;
}

/** Where a problem was met, in words. */
export function problemPlace(problem: ScanProblem): string {
  const layer = problem.layer === null ? '' : `layer ${problem.layer}`;
  return [layer, problem.path ?? ''].filter((part) => part !== '').join(' ') || 'image';
}

/** Removes control characters, which a hostile image could use to rewrite the reader's terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
