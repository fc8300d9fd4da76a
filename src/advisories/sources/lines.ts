// Newline-delimited JSON as a stream: gunzips in large chunks and splits lines without holding the file.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { KiB, MiB } from '../../core/index.ts';

/** Longest line that is read, in bytes; longer ones are reported and skipped. */
export const MAX_RECORD_BYTES = 16 * MiB;

/** A parsed JSON value, or why there is none. */
export type SourceItem = { readonly value: unknown } | { readonly unreadable: string };

const CHUNK = 256 * KiB;
const NEWLINE = 0x0a;

/** Reads one line; undefined where it is none of the records. */
export type LineParser = (line: string) => SourceItem | undefined;

/**
 * The records of a file of lines, `.gz` or not, in batches of one chunk each; JSON unless another parser is given.
 * Stream errors are thrown as they are.
 */
export async function* readLines(
  path: string,
  parse: LineParser = parseJson,
): AsyncGenerator<readonly SourceItem[]> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  const stream: Readable = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: CHUNK })) : file;
  file.once('error', (error) => stream.destroy(error));
  const splitter = new LineSplitter(parse);
  try {
    for await (const chunk of stream) {
      if (Buffer.isBuffer(chunk)) yield splitter.push(chunk);
    }
    yield splitter.end();
  } finally {
    file.destroy();
  }
}

/** Cuts chunks into lines and parses them; holds at most one unfinished line of the largest allowed size. */
class LineSplitter {
  readonly #parse: LineParser;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(parse: LineParser) {
    this.#parse = parse;
  }

  push(chunk: Buffer): readonly SourceItem[] {
    const items: SourceItem[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#finish(items);
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return items;
  }

  end(): readonly SourceItem[] {
    const items: SourceItem[] = [];
    this.#finish(items);
    return items;
  }

  #keep(part: Buffer): void {
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > MAX_RECORD_BYTES) this.#pending = [];
    else this.#pending.push(part);
  }

  #finish(items: SourceItem[]): void {
    const bytes = this.#pendingBytes;
    const parts = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (bytes > MAX_RECORD_BYTES) {
      items.push({ unreadable: `a line of ${bytes} bytes is too long` });
      return;
    }
    const [first] = parts;
    if (first === undefined) return;
    const line = (parts.length === 1 ? first : Buffer.concat(parts)).toString('utf8').trim();
    const item = line === '' ? undefined : this.#parse(line);
    if (item !== undefined) items.push(item);
  }
}

/** Parses JSON text without throwing. */
export function parseJson(text: string): SourceItem {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return { unreadable: 'not JSON' };
  }
}
