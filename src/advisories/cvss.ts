// CVSS scores from vectors: v4.0 (`cvss4.ts`), base of v3.0/v3.1 (first.org/cvss/v3.1, 7.1) and v2 (first.org/cvss/v2/guide, 3.2.1).
import type { Severity } from '../core/index.ts';
import { scoreCvss4 } from './cvss4.ts';

export interface CvssScore {
  readonly version: '2' | '3' | '4';
  /** 0–10, one decimal: the base score; for version 4 the score of the whole vector, exploit maturity included. */
  readonly score: number;
}

const V3_WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
const V3_PRIVILEGES: Readonly<Record<'U' | 'C', Readonly<Record<string, number>>>> = {
  U: { N: 0.85, L: 0.62, H: 0.27 },
  C: { N: 0.85, L: 0.68, H: 0.5 },
};
const V2_WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  C: { N: 0, P: 0.275, C: 0.66 },
  I: { N: 0, P: 0.275, C: 0.66 },
  A: { N: 0, P: 0.275, C: 0.66 },
};
const MAX_VECTOR_LENGTH = 512;

/** The score of a CVSS vector, or undefined when it is no complete vector of a version we know. Never throws. */
export function scoreCvss(vector: string): CvssScore | undefined {
  const text = vector.trim();
  if (text.length > MAX_VECTOR_LENGTH) return undefined;
  const metrics = readMetrics(text);
  if (text.startsWith('CVSS:4.0/')) {
    const score = scoreCvss4(metrics);
    return score === undefined ? undefined : { version: '4', score };
  }
  const score =
    text.startsWith('CVSS:3.0/') || text.startsWith('CVSS:3.1/') ? scoreV3(metrics) : scoreV2(metrics);
  if (score === undefined) return undefined;
  return { version: text.startsWith('CVSS:3') ? '3' : '2', score };
}

/** The word for a base score (first.org/cvss/v3.1, section 5); 0 is informational. */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'informational';
}

function readMetrics(vector: string): ReadonlyMap<string, string> {
  const metrics = new Map<string, string>();
  for (const part of vector.replace(/^\(|\)$/g, '').split('/')) {
    const colon = part.indexOf(':');
    if (colon > 0) metrics.set(part.slice(0, colon), part.slice(colon + 1));
  }
  return metrics;
}

function scoreV3(metrics: ReadonlyMap<string, string>): number | undefined {
  const scope = metrics.get('S');
  if (scope !== 'U' && scope !== 'C') return undefined;
  const weight = (name: string) => V3_WEIGHTS[name]?.[metrics.get(name) ?? ''] ?? Number.NaN;
  const privileges = V3_PRIVILEGES[scope][metrics.get('PR') ?? ''] ?? Number.NaN;
  const base = 1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A'));
  const impact = scope === 'U' ? 6.42 * base : 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15;
  const exploitability = 8.22 * weight('AV') * weight('AC') * privileges * weight('UI');
  if (Number.isNaN(impact) || Number.isNaN(exploitability)) return undefined;
  if (impact <= 0) return 0;
  const sum = scope === 'U' ? impact + exploitability : 1.08 * (impact + exploitability);
  return roundUp(Math.min(sum, 10));
}

/** Rounds up to one decimal in integers, as CVSS 3.1 appendix A prescribes against floating-point surprises. */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}

function scoreV2(metrics: ReadonlyMap<string, string>): number | undefined {
  const weight = (name: string) => V2_WEIGHTS[name]?.[metrics.get(name) ?? ''] ?? Number.NaN;
  const impact = 10.41 * (1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A')));
  const exploitability = 20 * weight('AV') * weight('AC') * weight('Au');
  if (Number.isNaN(impact) || Number.isNaN(exploitability)) return undefined;
  const factor = impact === 0 ? 0 : 1.176;
  return Math.round((0.6 * impact + 0.4 * exploitability - 1.5) * factor * 10) / 10;
}
