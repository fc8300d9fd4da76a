// The classifier on the real programs of this machine, against what the programs say of themselves.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CatalogedPackage } from '../../types.ts';
import { program, programText } from './cataloger.ts';

const CHUNK = Buffer.alloc(256 * 1024);

function classify(file: string): string[] {
  const found: Omit<CatalogedPackage, 'path'>[] = [];
  const path = file.slice(1);
  const cataloger = program.matches(path) ? program : programText;
  const sink = {
    path,
    package: (item: Omit<CatalogedPackage, 'path'>) => void found.push(item),
    owns: () => {},
    distribution: () => {},
    problem: () => {},
  };
  const entry = { path, type: 'file', target: null, linkName: null, size: 1, mode: 0o755 } as const;
  const reading = cataloger.matches(path) ? cataloger.reading(entry) : undefined;
  if (reading?.how === 'whole') reading.read(readFileSync(file), sink);
  if (reading?.how === 'stream') {
    const reader = reading.open(sink);
    const descriptor = openSync(file, 'r');
    for (let more = true; more; ) {
      const count = readSync(descriptor, CHUNK, 0, CHUNK.length, null);
      more = count > 0 && reader.chunk(CHUNK.subarray(0, count));
    }
    closeSync(descriptor);
    reader.end();
  }
  return found.map((item) => `${item.name} ${item.version}`);
}

/** A program's file and how it tells its own version; the pattern's group is that version. */
const PROGRAMS = [
  ['node', process.execPath, ['--version'], /v(\S+)/],
  ['bash', '/bin/bash', ['--version'], /version (\d+\.\d+\.\d+)/],
  ['openssl', '/usr/bin/openssl', ['version'], /OpenSSL (\S+)/],
  ['perl', '/usr/bin/perl', ['-e', 'printf "%vd", $^V'], /(\S+)/],
  ['postgresql', '/usr/lib/postgresql/15/bin/postgres', ['--version'], /PostgreSQL\) (\S+)/],
  ['curl', '/usr/bin/curl', ['--version'], /curl (\S+)/],
] as const;

describe('programs of this machine', () => {
  for (const [name, file, parameters, pattern] of PROGRAMS) {
    it.skipIf(!existsSync(file))(`${name} (needs ${name === 'node' ? 'node' : file})`, () => {
      const output = execFileSync(file, parameters, { encoding: 'utf8' });
      expect(classify(realpathSync(file))).toEqual([`${name} ${pattern.exec(output)?.[1]}`]);
    });
  }

  it.skipIf(!existsSync('/usr/local/go/VERSION'))('go (needs /usr/local/go)', () => {
    const output = execFileSync('/usr/local/go/bin/go', ['version'], { encoding: 'utf8' });
    expect(classify('/usr/local/go/VERSION')).toEqual([`go ${/go(\d\S+)/.exec(output)?.[1]}`]);
  });
});
