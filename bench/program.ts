// Runs a program to its end and tells what it used: CPU time of it and its children, highest resident memory, wall time.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { peakResidentMiB, processTree } from './measure.ts';

export interface ProgramRun {
  readonly output: string;
  readonly status: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Highest resident memory of any one process of the tree, in MiB. */
  readonly peakMiB: number;
}

/** Runs one program at a time: the CPU figure is what this process's ended children have added. */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramRun> {
  const before = childrenTicks();
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  let peakMiB = 0;
  const sample = (): void => {
    if (child.pid === undefined) return;
    for (const pid of processTree(child.pid)) {
      try {
        peakMiB = Math.max(peakMiB, peakResidentMiB(pid));
      } catch {
        // The process ended between listing and reading.
      }
    }
  };
  const timer = setInterval(sample, 25);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 255));
  });
  clearInterval(timer);
  const wallSeconds = (performance.now() - started) / 1000;
  if (status !== 0 && output === '')
    throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${errors}`);
  return { output, status, wallSeconds, peakMiB, cpuSeconds: (childrenTicks() - before) / 100 };
}

/** CPU ticks of this process's ended and waited-for children (cutime and cstime of proc(5)). */
function childrenTicks(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[13]) + Number(fields[14]);
}
