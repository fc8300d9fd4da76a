// Debian control files (deb822(5)): stanzas of `Field: value`, separated by empty lines.

/** Calls `stanza` with the wanted fields of each stanza; field names are lower case. Returns how many lines were malformed. */
export function readStanzas(
  text: string,
  wanted: ReadonlySet<string>,
  stanza: (fields: ReadonlyMap<string, string>) => void,
): number {
  let fields = new Map<string, string>();
  let malformed = 0;
  let some = false;
  for (let start = 0; start <= text.length; ) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const first = text.charCodeAt(start);
    if (isBlank(text, start, end)) {
      if (some) stanza(fields);
      if (some) fields = new Map();
      some = false;
    } else if (first !== 0x20 && first !== 0x09 && first !== 0x23) {
      some = true;
      const colon = text.indexOf(':', start);
      if (colon <= start || colon >= end) malformed++;
      else {
        const name = text.slice(start, colon).toLowerCase();
        if (wanted.has(name) && !fields.has(name)) fields.set(name, text.slice(colon + 1, end).trim());
      }
    }
    start = end + 1;
  }
  if (some) stanza(fields);
  return malformed;
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d) return false;
  }
  return true;
}
