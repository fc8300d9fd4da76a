// The starter advisories: a small set of well-known flaws in `library/`, so that a scan without any feed still says something.
import starter from '../../library/advisories/starter.json' with { type: 'json' };
import { AdvisoryCollector } from './collector.ts';
import { sha256 } from './file/format.ts';
import { memoryAdvisoryFile } from './memory-file.ts';
import type { AdvisoryFile } from './types.ts';

/** Where a starter entry's facts came from, as `source` of its advisory. */
export const STARTER_SOURCE = 'starter';

let loaded: AdvisoryFile | undefined;

/**
 * The starter advisories, in memory, with the interface of an opened file; `info.kind` is `starter`. They cover a
 * handful of flaws: a result without findings means little, and must say so. Loaded once; `close` does nothing.
 */
export function starterAdvisories(): AdvisoryFile {
  loaded ??= load();
  return loaded;
}

function load(): AdvisoryFile {
  const collector = new AdvisoryCollector();
  const entries: readonly StarterEntry[] = starter.advisories;
  for (const entry of entries) {
    collector.add(osvOf(entry), STARTER_SOURCE);
    if (entry.exploited === true) collector.add({ cveID: entry.id }, STARTER_SOURCE);
  }
  const builtAt = new Date(starter.updated).toISOString();
  const sources = [
    { name: STARTER_SOURCE, records: starter.advisories.length, rejected: 0, newest: builtAt },
  ];
  const digest = `sha256:${sha256(Buffer.from(JSON.stringify(starter))).toString('hex')}`;
  return memoryAdvisoryFile(collector, { kind: 'starter', digest, builtAt, sources });
}

interface StarterEntry {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly cvss: string;
  readonly exploited?: boolean;
  /** Range in words by `ecosystem name`: `>=1.0 <1.2.3 || <0.9`, `*` for all versions. */
  readonly affected: Readonly<Record<string, string | undefined>>;
}

/** The entry as an OSV record, so that it takes the same way as a feed's. */
function osvOf(entry: StarterEntry): unknown {
  return {
    id: entry.id,
    aliases: entry.aliases ?? [],
    modified: starter.updated,
    summary: entry.summary,
    severity: [{ type: 'CVSS_V3', score: entry.cvss }],
    affected: Object.entries(entry.affected).map(([key, words = '']) => {
      const space = key.lastIndexOf(' ');
      const ranges = words.split(' || ').map((range) => ({ type: 'ECOSYSTEM', events: eventsOf(range) }));
      return { package: { ecosystem: key.slice(0, space), name: key.slice(space + 1) }, ranges };
    }),
  };
}

function eventsOf(words: string): readonly unknown[] {
  const bounds = words.split(' ');
  const introduced = bounds.find((bound) => bound.startsWith('>='))?.slice(2) ?? '0';
  const last = bounds.find((bound) => bound.startsWith('<='))?.slice(2);
  const fixed = bounds.find((bound) => /^<[^=]/.test(bound))?.slice(1);
  return [
    { introduced },
    ...(last === undefined ? [] : [{ last_affected: last }]),
    ...(fixed === undefined ? [] : [{ fixed }]),
  ];
}
