// The entry point of the command line: the real terminal, signals, exit code.
import { runCommandLine } from './program.ts';
import { processTerminal } from './terminal.ts';

/** Shells report a process ended by SIGINT as 128 + 2. */
const FORCED_EXIT = 130;

/** One Ctrl-C may arrive twice: from the terminal and from the program that started this one (npm). */
const SAME_KEY_PRESS_MS = 500;

const interruption = new AbortController();
let interruptedAt = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted && Date.now() - interruptedAt > SAME_KEY_PRESS_MS)
      process.exit(FORCED_EXIT);
    if (!interruption.signal.aborted) interruptedAt = Date.now();
    interruption.abort();
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  terminal: processTerminal(),
  environment: process.env,
  interrupted: interruption.signal,
});
