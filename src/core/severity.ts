// The one severity vocabulary of API, command line and console (design.md section 5).

/** Severities, most severe first. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'informational', 'unknown'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Orders severities: lower is more severe. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** Is `severity` at least as severe as `threshold`? `unknown` reaches only the threshold `unknown`. */
export function reachesSeverity(severity: Severity, threshold: Severity): boolean {
  return severityRank(severity) <= severityRank(threshold);
}
