// Exemptions as code: a YAML or JSON file, checked key by key, every complaint with its line.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { describeError, MiB } from '../../core/index.ts';
import { scanErrors } from '../errors.ts';
import { type Exemption, exemptionSchema, exemptionScopeProblem } from './exemption.ts';

/** Largest exemption file read, in bytes. */
export const MAX_EXEMPTION_FILE_BYTES = MiB;

const MAX_EXEMPTIONS = 5_000;
const MAX_PROBLEMS_SHOWN = 5;
/** An exemption file needs three levels; the YAML reader takes quadratic time in them. */
const MAX_NESTING = 100;

/**
 * Reads the text of an exemption file: `exemptions:` with a list of entries, see docs/exemptions.md.
 * @throws SCAN_EXEMPTIONS_INVALID naming the lines of everything that is wrong
 */
export function parseExemptionFile(text: string, file: string): readonly Exemption[] {
  const refuse = (reason: string): Error => scanErrors.create('SCAN_EXEMPTIONS_INVALID', { file, reason });
  if (text.length > MAX_EXEMPTION_FILE_BYTES) throw refuse('it is larger than 1 MiB');
  if (nestsTooDeep(text)) throw refuse(`it is nested more than ${MAX_NESTING} levels deep`);
  const lines = new LineCounter();
  const reader = new Reader(file, lines);
  let root: Node | null;
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
    for (const error of document.errors) reader.complain(error.pos[0], error.message);
    root = document.contents;
  } catch (error) {
    // The YAML reader recurses; what is nested too deep ends here.
    throw refuse(describeError(error));
  }
  const exemptions = reader.problems.length > 0 ? [] : reader.exemptions(root);
  const { problems } = reader;
  if (problems.length === 0) return exemptions;
  const more =
    problems.length > MAX_PROBLEMS_SHOWN ? `; and ${problems.length - MAX_PROBLEMS_SHOWN} more` : '';
  throw refuse(`${problems.slice(0, MAX_PROBLEMS_SHOWN).join('; ')}${more}`);
}

/** Counts brackets wherever they stand, and indicators of block collections on one line. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_NESTING) return true;
  }
  return /(?:[-?:][ \t]+){100}/.test(text);
}

class Reader {
  readonly problems: string[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  complain(offset: number | undefined, reason: string): void {
    const clean = reason.replace(/\p{Cc}/gu, ' ').slice(0, 200);
    this.problems.push(`line ${this.#line(offset)}: ${clean}`);
  }

  #line(offset: number | undefined): number {
    return Math.max(1, this.#lines.linePos(offset ?? 0).line);
  }

  exemptions(root: Node | null): readonly Exemption[] {
    if (root === null) return [];
    if (!isMap(root)) {
      this.complain(offsetOf(root), 'the file must start with "exemptions:"');
      return [];
    }
    const found: Exemption[] = [];
    for (const { key, value } of root.items) {
      if (keyOf(key) !== 'exemptions') {
        this.complain(offsetOf(key), `unknown key "${keyOf(key)}"; there is only "exemptions"`);
      } else if (isSeq(value) && value.items.length <= MAX_EXEMPTIONS) {
        for (const item of value.items) found.push(...this.#exemption(item));
      } else if (!(isScalar(value) && value.value === null)) {
        this.complain(offsetOf(key), `"exemptions" must be a list of at most ${MAX_EXEMPTIONS} entries`);
      }
    }
    return found;
  }

  #exemption(item: unknown): readonly Exemption[] {
    const offset = offsetOf(item);
    if (!isMap(item)) {
      this.complain(offset, 'an exemption must be a list of keys and values');
      return [];
    }
    const parsed = exemptionSchema.safeParse(plainObject(item));
    if (!parsed.success) {
      for (const issue of parsed.error.issues) {
        const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0];
        this.complain(offsetOfKey(item, String(key ?? '')) ?? offset, issueText(String(key ?? ''), issue));
      }
      return [];
    }
    const scope = exemptionScopeProblem(parsed.data);
    if (scope !== null) {
      this.complain(offset, scope);
      return [];
    }
    return [{ ...parsed.data, source: `${this.#file}:${this.#line(offset)}` }];
  }
}

function issueText(key: string, issue: { readonly code: string; readonly message: string }): string {
  if (issue.code === 'unrecognized_keys') return `unknown key "${key}"`;
  return issue.code === 'invalid_type' ? `"${key}" is missing or no text` : `"${key}": ${issue.message}`;
}

/** Only text counts: an unquoted number or date is taken as it is written. */
function plainObject(map: YAMLMap): Record<string, unknown> {
  const entries = map.items.map(({ key, value }): [string, unknown] => [keyOf(key), scalarText(value)]);
  return Object.fromEntries(entries);
}

function scalarText(value: unknown): unknown {
  if (!isScalar(value)) return undefined;
  return typeof value.value === 'number' ? (value.source ?? String(value.value)) : value.value;
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? undefined) : undefined;
}

function offsetOfKey(map: YAMLMap, key: string): number | undefined {
  return offsetOf(map.items.find((pair) => keyOf(pair.key) === key)?.key);
}
