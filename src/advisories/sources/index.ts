// Finds advisory sources: directories of .ndjson.gz, .ndjson, .json, .zip and EPSS .csv.gz files, or one such file.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeError, MiB } from '../../core/index.ts';
import { advisoryErrors } from '../errors.ts';
import { parseEpssLine } from './epss.ts';
import { parseJson, readLines, type SourceItem } from './lines.ts';
import { readZip } from './zip.ts';

export type { SourceItem } from './lines.ts';

/** One file, or all loose `.json` files of one directory together. */
export interface AdvisorySource {
  readonly name: string;
  /** Its records in batches. Throws a coded error when the file breaks off or cannot be read. */
  batches(): AsyncIterable<readonly SourceItem[]>;
}

/** A file or directory, with the name to list it under where its own says nothing. */
export interface NamedPath {
  readonly path: string;
  readonly name: string;
}

const SOURCE_FILE = /\.(?:ndjson|ndjson\.gz|json|zip|csv|csv\.gz)$/;
const MAX_DEPTH = 4;
const MAX_JSON_BYTES = 64 * MiB;
const JSON_BATCH = 128;

/** The sources under `paths`, in a fixed order. Other files are ignored. */
export async function findSources(
  paths: readonly (string | NamedPath)[],
): Promise<readonly AdvisorySource[]> {
  const sources: AdvisorySource[] = [];
  for (const given of paths) {
    const files = await filesUnder(typeof given === 'string' ? given : given.path, 0);
    const before = sources.length;
    const loose = new Map<string, string[]>();
    for (const file of files) {
      if (/\.ndjson(?:\.gz)?$/.test(file)) sources.push(sourceOf(file, () => readLines(file)));
      else if (/\.csv(?:\.gz)?$/.test(file))
        sources.push(sourceOf(file, () => readLines(file, parseEpssLine)));
      else if (file.endsWith('.zip')) sources.push(sourceOf(file, () => readZip(file)));
      else membersOf(loose, dirname(file)).push(file);
    }
    for (const [directory, members] of loose) sources.push(looseSource(directory, members));
    if (typeof given === 'string') continue;
    for (const source of sources.splice(before)) sources.push({ ...source, name: given.name });
  }
  return sources;
}

function membersOf(loose: Map<string, string[]>, directory: string): string[] {
  const members = loose.get(directory) ?? [];
  loose.set(directory, members);
  return members;
}

async function filesUnder(path: string, depth: number): Promise<readonly string[]> {
  const info = await orUnreadable(path, stat(path));
  if (!info.isDirectory()) return SOURCE_FILE.test(path) ? [path] : [];
  if (depth > MAX_DEPTH) return [];
  const entries = await orUnreadable(path, readdir(path, { withFileTypes: true }));
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const child = join(path, entry.name);
    if (entry.isDirectory() || SOURCE_FILE.test(entry.name)) {
      found.push(...(await filesUnder(child, depth + 1)));
    }
  }
  return found;
}

function sourceOf(path: string, read: () => AsyncIterable<readonly SourceItem[]>): AdvisorySource {
  return {
    name: basename(path).replace(/\.(?:ndjson\.gz|ndjson|zip|csv\.gz|csv)$/, ''),
    async *batches() {
      try {
        yield* read();
      } catch (error) {
        throw unreadable(path, error);
      }
    },
  };
}

function looseSource(directory: string, files: readonly string[]): AdvisorySource {
  return {
    name: files.length === 1 ? basename(files[0] ?? '', '.json') : basename(directory),
    async *batches() {
      let batch: SourceItem[] = [];
      for (const file of files) {
        batch.push(...(await readJsonFile(file)));
        if (batch.length < JSON_BATCH) continue;
        yield batch;
        batch = [];
      }
      yield batch;
    },
  };
}

/** One record, a list of records, or a catalogue with a list under `vulnerabilities` (CISA KEV). */
async function readJsonFile(path: string): Promise<readonly SourceItem[]> {
  const { size } = await orUnreadable(path, stat(path));
  if (size > MAX_JSON_BYTES)
    return [{ unreadable: `${basename(path)}: larger than ${MAX_JSON_BYTES} bytes` }];
  const item = parseJson(await orUnreadable(path, readFile(path, 'utf8')));
  if (!('value' in item)) return [item];
  const { value } = item;
  const list: unknown =
    typeof value === 'object' && value !== null && 'vulnerabilities' in value ? value.vulnerabilities : value;
  return Array.isArray(list) ? list.map((entry: unknown) => ({ value: entry })) : [item];
}

async function orUnreadable<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): Error {
  return advisoryErrors.create('ADVISORIES_SOURCE_UNREADABLE', { path, reason: describeError(error) }, error);
}
