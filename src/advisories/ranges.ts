// OSV events (introduced, fixed, last_affected, limit) to ranges that can be tested one by one.
import type { AffectedRange, VersionScheme } from './types.ts';

/** One OSV event with exactly one of its four kinds. */
export interface OsvEvent {
  readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit';
  readonly version: string;
}

/**
 * The ranges that a list of events describes. Events are put in version order where the scheme is known, since
 * publishers do not always sort them; otherwise their own order counts. A bound without an `introduced` before it is
 * read as "from the beginning".
 */
export function rangesFromEvents(
  events: readonly OsvEvent[],
  scheme: VersionScheme | undefined,
): readonly AffectedRange[] {
  const limits = events.filter((event) => event.kind === 'limit').map((event) => event.version);
  const ranges: AffectedRange[] = [];
  let introduced: string | undefined;
  for (const event of ordered(events, scheme)) {
    if (event.kind === 'limit') continue;
    if (event.kind === 'introduced') {
      introduced ??= event.version;
      continue;
    }
    if (introduced === undefined && ranges.length > 0) continue;
    const start = introduced ?? '0';
    introduced = undefined;
    if (event.kind === 'fixed' && event.version === '0') continue;
    ranges.push(
      event.kind === 'fixed'
        ? { introduced: start, fixed: event.version }
        : { introduced: start, lastAffected: event.version },
    );
  }
  if (introduced !== undefined) ranges.push({ introduced });
  return limits.length === 0 || limits.includes('*') ? ranges : ranges.map((range) => ({ ...range, limits }));
}

function ordered(events: readonly OsvEvent[], scheme: VersionScheme | undefined): readonly OsvEvent[] {
  if (scheme === undefined || events.length < 2) return events;
  if (events.length === 2 && events[0]?.kind === 'introduced' && events[0].version === '0') return events;
  return events.toSorted((a, b) => {
    if (a.version === b.version) return 0;
    if (a.version === '0') return -1;
    if (b.version === '0') return 1;
    return scheme.compare(a.version, b.version);
  });
}
