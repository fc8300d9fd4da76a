// Values that are no secrets: documentation examples, placeholders, references to a value kept elsewhere.

/** Words that a random value does not hold, and an example does. */
const WORDS =
  /example|placeholder|change[-_ ]?me|replace[-_ ]?(?:me|this)|your[-_]?(?:api|secret|token|key|pass|access|client|own)|dummy|not[-_]?a[-_]?real|insert[-_]|redacted|todo|foobar|lorem|fake[-_]?(?:key|token|secret)|test[-_]?(?:key|token|secret)/i;
/** Runs that people type: xxxx, ****, 0000, 12345678, abcdefgh. */
const RUNS =
  /x{5,}|\*{3,}|\.{3,}|#{4,}|-{6,}|_{6,}|(?:0123456789|1234567890|12345678|abcdefgh|qwerty)|(.)\1{7,}/i;
/** `${NAME}`, `$(command)`, `$NAME`, `{{ template }}`, `<name>`, `%s`, `%(name)s`, `@@NAME@@`. */
const REFERENCES =
  /\$\{|\$\(|^\$[A-Za-z_]\w{0,60}$|\{\{|\}\}|<[\w -]{1,40}>|%\(|^%[sdv]$|^%[A-Z_]{1,40}%$|^@@|^__\w{1,40}__$/;

/** The payload that jwt.io shows, however it is signed: subject 1234567890, John Doe. */
const KNOWN_PAYLOADS = /\.eyJ(?:zdWIiOiIxMjM0NTY3ODkwI|sb2dnZWRJbkFzIjoiYWRtaW4i)/;

/** Is the value known not to be a secret? */
export function isAllowed(value: string): boolean {
  if (value.startsWith('-----BEGIN')) return false;
  // X's bearer tokens start with a row of A.
  if (WORDS.test(value) || RUNS.test(value.replace(/^A{20,}/, '')) || REFERENCES.test(value)) return true;
  return value.startsWith('eyJ') && KNOWN_PAYLOADS.test(value);
}
