// Resident memory of another process, from Linux's /proc (proc(5)).
import { readFile } from 'node:fs/promises';
import { KiB } from '../core/index.ts';

/** Bytes resident now; undefined where there is no /proc or no such process. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'latin1');
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * KiB;
  } catch {
    return undefined;
  }
}
