// The part of TOML (toml.io, 1.0) that lock files are written in: arrays of tables whose keys hold one-line values.
import { linesOf } from './lock-file.ts';

/** Keys of one table; strings are unquoted, every other value is its text. */
export type TomlTable = ReadonlyMap<string, string>;

const HEADER = /^\[\[([A-Za-z0-9_.-]+)\]\][ \t]*(?:#.*)?$/;
const OTHER_HEADER = /^\[[^[]/;
const ENTRY = /^([A-Za-z0-9_-]+)[ \t]*=[ \t]*(.*)$/;

/**
 * The tables of `[[name]]`, in order, without their sub-tables. Multi-line strings are passed over, so that nothing in
 * them is taken for a table. Never throws; the work grows with the length of the text.
 */
export function readTomlTables(text: string, name: string): TomlTable[] {
  const tables: TomlTable[] = [];
  let table: Map<string, string> | undefined;
  let quotes: string | undefined;
  for (const line of linesOf(text)) {
    if (quotes !== undefined) {
      if (line.includes(quotes)) quotes = undefined;
      continue;
    }
    const header = HEADER.exec(line);
    if (header !== null || OTHER_HEADER.test(line)) {
      table = header?.[1] === name ? new Map() : undefined;
      if (table !== undefined) tables.push(table);
      continue;
    }
    const entry = ENTRY.exec(line);
    if (entry === null) continue;
    const [, key = '', value = ''] = entry;
    quotes = openQuotes(value);
    if (quotes === undefined && table !== undefined && !table.has(key)) table.set(key, unquote(value));
  }
  return tables;
}

/** The quotes of a multi-line string that a value opens and does not close. */
function openQuotes(value: string): string | undefined {
  const quotes = value.slice(0, 3);
  if (quotes !== '"""' && quotes !== "'''") return undefined;
  return value.includes(quotes, 3) ? undefined : quotes;
}

/** Names and versions hold no escapes; a text that does keeps them as they are. */
function unquote(value: string): string {
  const quote = value[0];
  if (quote !== '"' && quote !== "'") return value;
  const end = value.indexOf(quote, 1);
  return end < 0 ? value : value.slice(1, end);
}
