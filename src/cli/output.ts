// `-o FORMAT[=FILE]`, several at once: parsed here, written here.
import { open } from 'node:fs/promises';
import { describeError } from '../core/index.ts';
import { cliErrors } from './errors.ts';
import { FORMAT_NAMES, type FormatName } from './formats/format.ts';
import type { Terminal } from './terminal.ts';

/** One wanted document: its format, and the file it goes to (null: standard output). */
export interface Output<Name extends string = FormatName> {
  readonly format: Name;
  readonly file: string | null;
}

/** Parses the values of `-o`. No value means one table on standard output. */
export function parseOutputs<const Name extends string>(
  values: readonly string[],
  formats: readonly Name[],
  fallback: Name,
): readonly Output<Name>[] {
  if (values.length === 0) return [{ format: fallback, file: null }];
  const known = new Map<string, Name>(formats.map((name) => [name, name]));
  const outputs = values.map((value) => {
    const separator = value.indexOf('=');
    const name = separator < 0 ? value : value.slice(0, separator);
    const file = separator < 0 ? null : value.slice(separator + 1);
    const format = known.get(name.trim().toLowerCase());
    if (format === undefined) throw invalid(value, `"${name}" is not a format`, formats);
    if (file === '') throw invalid(value, 'the file name is empty', formats);
    return { format, file: file === '-' ? null : file };
  });
  if (outputs.filter((output) => output.file === null).length > 1) {
    throw invalid(values.join(' -o '), 'two formats would go to standard output', formats);
  }
  const files = outputs.flatMap((output) => output.file ?? []);
  if (new Set(files).size < files.length) {
    throw invalid(values.join(' -o '), 'two formats would go to the same file', formats);
  }
  return outputs;
}

export const parseReportOutputs = (values: readonly string[]): readonly Output[] =>
  parseOutputs(values, FORMAT_NAMES, 'table');

/** Writes one document to its file or to standard output. */
export async function writeOutput(
  output: { readonly file: string | null },
  text: string,
  terminal: Terminal,
): Promise<void> {
  if (output.file === null) {
    await terminal.out(text);
    return;
  }
  try {
    const file = await open(output.file, 'w', 0o644);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cliErrors.create('CLI_OUTPUT_FAILED', { file: output.file, reason: describeError(error) }, error);
  }
}

function invalid(value: string, reason: string, formats: readonly string[]): Error {
  return cliErrors.create('CLI_OUTPUT_INVALID', { value, reason, formats: formats.join(', ') });
}
