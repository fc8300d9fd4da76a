// Counts by severity as words with shapes, so that colour is never the only signal.
import { SEVERITIES, type Severity } from '../../core/index.ts';
import { type Html, html } from './html.ts';

const SHAPES: Readonly<Record<Severity, string>> = {
  critical: '◆',
  high: '▲',
  medium: '■',
  low: '●',
  informational: '○',
  unknown: '?',
};

export function severityLabel(severity: Severity): Html {
  return html`<span class="${severity}"><span aria-hidden="true">${SHAPES[severity]}</span> ${severity}</span>`;
}

/** `◆ 2 critical, ▲ 11 high`; null when nothing is counted. */
export function severityCounts(counts: Readonly<Record<string, number>>): Html | null {
  const parts = SEVERITIES.flatMap((severity) => {
    const count = counts[severity] ?? 0;
    return count === 0
      ? []
      : [
          html`<span class="${severity}"><span aria-hidden="true">${SHAPES[severity]}</span> ${count} ${severity}</span>`,
        ];
  });
  if (parts.length === 0) return null;
  return html`${parts.map((part, index) => (index === 0 ? part : html`, ${part}`))}`;
}
