// Aligned text columns without box characters; on a narrow terminal the least important columns go first.
import stringWidth from 'string-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Columns with the highest number are dropped first when the width is too small; 0 is never dropped. */
  readonly priority?: number;
  /** A cell may be cut to this many columns (with `…`), never fewer. */
  readonly shrinkTo?: number;
}

export interface Cell {
  readonly text: string;
  /** Decoration that adds no width. */
  readonly paint?: (text: string) => string;
}

/** Lines of a table, without trailing blanks. A title row is left out when every title is empty. */
export function layoutColumns(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  indent = '',
): readonly string[] {
  const cells = columns.map((column, index) => [column.title, ...rows.map((row) => row[index]?.text ?? '')]);
  const natural = cells.map((column) => column.reduce((most, text) => Math.max(most, stringWidth(text)), 0));
  const { kept, widths } = fit(columns, natural, width - indent.length);
  const lines: string[] = [];
  if (columns.some((column) => column.title !== '')) {
    lines.push(
      line(
        columns.map((column) => ({ text: column.title })),
        columns,
        kept,
        widths,
      ),
    );
  }
  for (const row of rows) lines.push(line(row, columns, kept, widths));
  return lines.map((text) => (indent + text).trimEnd());
}

/** Cuts to a display width, ending in `…` when something was cut. */
export function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = stringWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…`;
}

function fit(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
): { readonly kept: readonly number[]; readonly widths: readonly number[] } {
  let kept = columns.map((_, index) => index);
  const widths = [...natural];
  const total = (): number =>
    kept.reduce((sum, index) => sum + (widths[index] ?? 0), 0) + 2 * Math.max(0, kept.length - 1);
  const leastFirst = kept.toSorted((a, b) => (columns[b]?.priority ?? 0) - (columns[a]?.priority ?? 0));
  for (const index of leastFirst) {
    const over = total() - width;
    if (over <= 0) break;
    const column = columns[index];
    const now = widths[index] ?? 0;
    if (column?.shrinkTo !== undefined && now > column.shrinkTo) {
      widths[index] = Math.max(column.shrinkTo, now - over);
    }
    if (total() > width && (column?.priority ?? 0) > 0) kept = kept.filter((other) => other !== index);
  }
  for (const index of kept) {
    const spare = width - total();
    const wanted = (natural[index] ?? 0) - (widths[index] ?? 0);
    if (spare > 0 && wanted > 0) widths[index] = (widths[index] ?? 0) + Math.min(spare, wanted);
  }
  return { kept, widths };
}

function line(
  row: readonly Cell[],
  columns: readonly Column[],
  kept: readonly number[],
  widths: readonly number[],
): string {
  return kept
    .map((index) => {
      const cell = row[index] ?? { text: '' };
      const width = widths[index] ?? 0;
      const text = truncate(cell.text, width);
      const padding = ' '.repeat(Math.max(0, width - stringWidth(text)));
      const painted = cell.paint === undefined ? text : cell.paint(text);
      return columns[index]?.align === 'right' ? padding + painted : painted + padding;
    })
    .join('  ')
    .trimEnd();
}
