// Which binary packages do not inherit their source's advisories (library/scan/packages-without-code.json).
import table from '../../library/scan/packages-without-code.json' with { type: 'json' };
import type { CatalogedPackage } from './types.ts';

const rules = table.packages.map((rule) => ({
  kind: rule.kind,
  source: rule.source,
  pattern: new RegExp(`^${rule.name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`),
}));

/** Does the package hold none of its source's code: headers, documentation, translations? */
export function isWithoutCode(item: CatalogedPackage): boolean {
  return rules.some(
    (rule) =>
      rule.kind === item.kind &&
      (rule.source === undefined || rule.source === item.source?.name) &&
      rule.pattern.test(item.name),
  );
}
