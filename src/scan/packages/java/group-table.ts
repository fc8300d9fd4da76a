// Groups of well-known artifacts that carry no Maven coordinates (library/scan/java-groups.json).
import table from '../../../../library/scan/java-groups.json' with { type: 'json' };

const rules = table.groups.map(({ artifact, folder, group }) => ({
  exact: !artifact.endsWith('*'),
  start: artifact.replace(/\*$/, ''),
  folder,
  group,
}));

/** Is a class below this folder of use to {@link groupOf}? */
export const GROUP_FOLDERS: ReadonlySet<string> = new Set(rules.map((rule) => rule.folder));

/** The group of an artifact whose archive holds classes below `folders`; undefined where the table has none. */
export function groupOf(artifact: string, folders: ReadonlySet<string>): string | undefined {
  return rules.find(
    ({ exact, start, folder }) =>
      (exact ? artifact === start : artifact.startsWith(start)) && folders.has(folder),
  )?.group;
}
