// Runs the programs of others that integration tests compare with, and says when one is missing.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first of these programs that is not installed, or undefined. */
export function missingProgram(...names: readonly string[]): string | undefined {
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined);
}

/** Runs a program and returns its standard output. Rejects with its standard error when it fails. */
export async function runProgram(name: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await run(name, [...args], {
    maxBuffer: 64 << 20,
    ...(cwd === undefined ? {} : { cwd }),
  });
  return stdout;
}
