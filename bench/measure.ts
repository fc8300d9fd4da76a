// Measuring other processes: CPU seconds and resident memory from /proc (proc(5)), medians, and how a figure is reported.
import { readFileSync, readdirSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds (user and system) that a process and its living descendants have used; its ended children are counted too. */
export function cpuSeconds(pid: number): number {
  return processTree(pid).reduce((sum, entry) => sum + ticksOf(entry) / TICKS_PER_SECOND, 0);
}

/** Resident memory of one process in MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Highest resident memory that one process has had, in MiB. */
export function peakResidentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** A process and everything started below it. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i] ?? -1) ?? []));
  return tree;
}

function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields === undefined ? undefined : Number(fields[1]);
}

function ticksOf(pid: number): number {
  const fields = statFields(pid);
  if (fields === undefined) return 0;
  // utime, stime and those of waited-for children.
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One line of a bench's result: the figure, the bar it has to reach, and whether it did. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** At least (`min`) or at most (`max`) this; undefined for a figure that only informs. */
  readonly bar?: { readonly min: number } | { readonly max: number };
  readonly detail?: string;
}

/** Did the figure reach its bar? Figures without one always do. */
export function reached(figure: Figure): boolean {
  if (figure.bar === undefined) return true;
  return 'min' in figure.bar ? figure.value >= figure.bar.min : figure.value <= figure.bar.max;
}

export function describeFigure(figure: Figure): string {
  const bar =
    figure.bar === undefined
      ? ''
      : 'min' in figure.bar
        ? ` (bar ≥ ${figure.bar.min})`
        : ` (bar ≤ ${figure.bar.max})`;
  const verdict = figure.bar === undefined ? '     ' : reached(figure) ? 'ok   ' : 'MISS ';
  return `${verdict}${figure.name}: ${figure.value.toFixed(2)} ${figure.unit}${bar}${figure.detail ? ` — ${figure.detail}` : ''}`;
}
