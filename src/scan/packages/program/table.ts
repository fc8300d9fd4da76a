// The table of programs known by their own bytes (library/scan/programs.json), prepared for look-up by file name.
import { z } from 'zod';
import programs from '../../../../library/scan/programs.json' with { type: 'json' };

const rowsSchema = z.array(
  z.object({
    name: z.string(),
    advisories: z.string().optional(),
    binaries: z
      .array(
        z.object({
          stems: z.array(z.string()),
          file: z.string(),
          near: z.string(),
          version: z.string(),
        }),
      )
      .default([]),
    texts: z.array(z.object({ fileName: z.string(), path: z.string(), version: z.string() })).default([]),
  }),
);

/** What to search one executable or library for. */
export interface ProgramPattern {
  readonly name: string;
  /** Stands beside the version. */
  readonly near: Buffer;
  /** Its first group is the version, or what follows `before`. */
  readonly version: RegExp;
  readonly before: string;
}

/** A small text file that tells the version. */
export interface ProgramText {
  readonly name: string;
  readonly fileName: string;
  readonly path: RegExp;
  readonly version: RegExp;
}

interface BinaryRow {
  readonly name: string;
  readonly file: RegExp;
  readonly near: string;
  readonly version: string;
}

const rows = rowsSchema.parse(programs.programs);
const byStem = new Map<string, BinaryRow[]>();
for (const { name, binaries } of rows) {
  for (const { stems, file, near, version } of binaries) {
    for (const stem of stems) {
      const row = { name, file: new RegExp(file), near, version };
      byStem.set(stem, [...(byStem.get(stem) ?? []), row]);
    }
  }
}

export const programTexts: readonly ProgramText[] = rows.flatMap(({ name, texts }) =>
  texts.map(({ fileName, path, version }) => ({
    name,
    fileName,
    path: new RegExp(path),
    version: new RegExp(version, 'm'),
  })),
);

const advisoryNames = new Map(rows.map(({ name, advisories }) => [name, advisories]));

/** What Bitnami's advisories call a program; undefined when they do not speak of it. */
export function advisoryNameOf(program: string): string | undefined {
  return advisoryNames.get(program);
}

/** Is there a program of which executables have this name? Called for nearly every path of a layer. */
export function isProgramName(path: string): boolean {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return byStem.get(stemOf(base))?.some((row) => row.file.test(base)) ?? false;
}

/** The patterns for an executable of this name. */
export function programPatterns(path: string): readonly ProgramPattern[] {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const patterns: ProgramPattern[] = [];
  for (const { name, file, near, version } of byStem.get(stemOf(base)) ?? []) {
    const match = file.exec(base);
    if (match === null) continue;
    const series = match[1];
    const fill = (text: string, part: string): string => text.replaceAll('{1}', part);
    patterns.push({
      name,
      near: Buffer.from(fill(near, series ?? ''), 'latin1'),
      version: new RegExp(fill(version, (series ?? '').replaceAll('.', '\\.'))),
      before: series === undefined ? '' : `${series}.`,
    });
  }
  return patterns;
}

/** The letters that a name starts with. */
function stemOf(base: string): string {
  let end = 0;
  while (end < base.length && isLetter(base.charCodeAt(end))) end++;
  return base.slice(0, end);
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}
