// Runs the command line in this process with a terminal that records.
import { runCommandLine } from '../program.ts';

export interface RecordedRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function recordedRun(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<RecordedRun> {
  let out = '';
  let err = '';
  const code = await runCommandLine(argv, {
    terminal: {
      out: async (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      outIsTerminal: false,
      errIsTerminal: false,
      width: 100,
      colour: false,
    },
    environment,
    interrupted: new AbortController().signal,
  });
  return { code, out, err };
}
