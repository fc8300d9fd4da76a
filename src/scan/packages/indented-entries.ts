// YAML in the one form that pnpm and pub write: a section of entries, two spaces in, each with fields, four spaces in.
import { linesOf } from './lock-file.ts';

export interface IndentedEntry {
  readonly key: string;
  /** Fields with a value on their own line, unquoted; each name's first. */
  readonly fields: ReadonlyMap<string, string>;
}

const KEY = /^ {2}(?:'([^']+)'|"([^"]+)"|([^\s'"][^\s]*)):(?: .*)?$/;
const FIELD = /^ {4}([A-Za-z]+): *['"]?([^'"\s]+)['"]?$/;

/**
 * The entries of a top-level section. A YAML parser takes minutes and gigabytes for what hostile files of this size can
 * hold; this reader takes one pass. Never throws.
 */
export function* readIndentedEntries(text: string, section: string): Generator<IndentedEntry> {
  let inside = false;
  let key: string | undefined;
  let fields = new Map<string, string>();
  for (const line of linesOf(text)) {
    if (line === '') continue;
    const topLevel = !line.startsWith(' ');
    const next = !topLevel && inside ? keyOf(line) : undefined;
    if ((topLevel || next !== undefined) && key !== undefined) {
      yield { key, fields };
      key = undefined;
    }
    if (topLevel) inside = line === `${section}:`;
    else if (next !== undefined) {
      key = next;
      fields = new Map();
    } else if (key !== undefined) {
      const [, name, value] = FIELD.exec(line) ?? [];
      if (name !== undefined && value !== undefined && !fields.has(name)) fields.set(name, value);
    }
  }
  if (key !== undefined) yield { key, fields };
}

function keyOf(line: string): string | undefined {
  const [, single, double, plain] = KEY.exec(line) ?? [];
  return single ?? double ?? plain;
}
