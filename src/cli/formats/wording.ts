// Sentences that several formats share, so that "not scanned" never reads like "clean" in any of them.
import type { ScanProblem, ScanReport } from '../../scan/index.ts';

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
  const open = report.findings.length;
  const packages = `${report.packages.length} ${report.packages.length === 1 ? 'package' : 'packages'}`;
  if (open > 0) return `${open} ${open === 1 ? 'finding' : 'findings'} in ${packages}`;
  if (report.packages.length === 0) return 'no packages were found, so nothing could be matched';
  const limit = report.advisories.kind === 'starter' ? ', but only the starter advisories were checked' : '';
  const unread = report.problems.length > 0 ? ', but not everything could be read' : '';
  return `no known vulnerabilities in ${packages}${limit}${unread}`;
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
