// Collected advisories as an AdvisoryFile that lives in memory.
import type { AdvisoryCollector } from './collector.ts';
import { packageKey } from './file/format.ts';
import { packFacts, packStatement, unpackText } from './file/records.ts';
import type { AdvisoryBlock, AdvisoryFile, AdvisoryFileInfo, AdvisoryRecord } from './types.ts';

/** Takes the collector's statements; the collector must not be used for anything else afterwards. */
export function memoryAdvisoryFile(
  collector: AdvisoryCollector,
  info: Pick<AdvisoryFileInfo, 'kind' | 'digest' | 'builtAt' | 'sources'>,
): AdvisoryFile {
  const statements = new Map(
    [...collector.keys()]
      .map((key) => [key, collector.takeStatements(key)] as const)
      .filter(([, found]) => found.length > 0),
  );
  const aliases = collector.aliases();
  const ecosystems = new Set(
    [...statements.values()].flatMap((found) => found.map(({ ecosystem }) => ecosystem)),
  );
  return {
    info: { ...info, advisories: collector.advisories, packages: statements.size },
    lookup: (ecosystem, name) => statements.get(packageKey(ecosystem, name)) ?? [],
    facts: (id) => collector.facts(id),
    advisory(id) {
      const facts = collector.facts(id);
      const text = collector.text(id);
      return facts === undefined || text === undefined ? undefined : { ...facts, ...unpackText(text) };
    },
    aliasedBy: (alias) => aliases.get(alias) ?? [],
    ecosystems: () => [...ecosystems].sort(),
    blocks(section) {
      if (section === 'packages') {
        return [
          wholeBlock([...statements].map(([key, found]) => [key, `[${found.map(packStatement).join(',')}]`])),
        ];
      }
      return [
        wholeBlock(
          [...collector.ids()].flatMap((id) => {
            const facts = collector.facts(id);
            return facts === undefined ? [] : [[id, packFacts(facts)] as const];
          }),
        ),
      ];
    },
    close: () => undefined,
  };
}

/** All records of a section as one block, as a file would hold them. */
function wholeBlock(entries: readonly (readonly [key: string, value: string])[]): AdvisoryBlock {
  const records = (): readonly AdvisoryRecord[] =>
    entries
      .map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }))
      .toSorted((a, b) => Buffer.compare(a.key, b.key));
  return { hash: null, records };
}
