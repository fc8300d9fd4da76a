// Which process a lock names: pid and start time (proc(5) field 22), so that a reused pid is not taken for the holder.
import { readFileSync, readlinkSync } from 'node:fs';

/** A process, told apart from later ones with the same pid where the platform lets us. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; null where there is no /proc. */
  readonly startedAt: string | null;
  /** Identifies the boot of the machine. */
  readonly boot: string | null;
  /** Identifies the pid namespace: in another container the same pid is another process. */
  readonly namespace: string | null;
}

/** `elsewhere`: the process lives in another pid namespace, so its pid says nothing here. */
export type ProcessState = 'running' | 'gone' | 'elsewhere';

/** Identifies a process of this pid namespace, this one unless another pid is given. */
export function identify(pid: number = process.pid): ProcessIdentity {
  return {
    pid,
    startedAt: readStart(pid) ?? null,
    boot: readBoot(),
    namespace: readNamespace(),
  };
}

/** Looks whether that very process still runs. A zombie counts as gone: it holds nothing open. */
export function processState(identity: ProcessIdentity): ProcessState {
  if (identity.boot !== null && identity.boot !== readBoot()) return 'gone';
  if (identity.namespace !== null && identity.namespace !== readNamespace()) return 'elsewhere';
  if (identity.startedAt !== null) return readStart(identity.pid) === identity.startedAt ? 'running' : 'gone';
  return signalReaches(identity.pid) ? 'running' : 'gone';
}

function readStart(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command name in parentheses may hold anything, so fields are counted from the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === 'Z' || state === 'X' ? undefined : fields[19];
}

function readBoot(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return null;
  }
}

function readNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
