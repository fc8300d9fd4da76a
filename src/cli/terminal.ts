// The terminal: data on stdout, everything else on stderr; colour and width only where a person is looking.

/** What commands print to. */
export interface Terminal {
  /** Data. Resolves when the stream took it, so that a pipe is never cut short at exit. */
  out(text: string): Promise<void>;
  /** Progress, notices and errors. */
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Columns of stdout; 120 when it is no terminal. */
  readonly width: number;
  /** May colour be used on stdout? */
  readonly colour: boolean;
}

/** Width used where nobody can be asked, e.g. in a pipe. */
const DEFAULT_WIDTH = 120;

/** The real terminal of this process. `NO_COLOR` (no-color.org), `TERM=dumb` and `FORCE_COLOR` are respected. */
export function processTerminal(environment: NodeJS.ProcessEnv = process.env): Terminal {
  // Without a listener the stream would end the process with a stack trace; the write's own callback hears of it too.
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
  return {
    out: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          if (error && !isClosedPipe(error)) reject(error);
          else resolve();
        });
      }),
    err: (text) => {
      process.stderr.write(text);
    },
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    width: terminalWidth(environment, process.stdout.columns),
    colour: useColour(environment, process.stdout.isTTY === true),
  };
}

/** `COLUMNS` wins over what the terminal says; nonsense is ignored, also the 0 of a terminal that does not know its width. */
export function terminalWidth(environment: NodeJS.ProcessEnv, columns: number | undefined): number {
  const named = Number(environment['COLUMNS']);
  const width = Number.isInteger(named) && named > 0 ? named : columns;
  return width === undefined || width < 1 ? DEFAULT_WIDTH : Math.min(Math.max(width, 40), 1000);
}

export function useColour(environment: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  const forced = environment['FORCE_COLOR'];
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  if (forced !== undefined && forced !== '0' && forced !== 'false') return true;
  return isTerminal && environment['TERM'] !== 'dumb';
}

/** Whoever reads our output may stop reading (`| head`); that is not an error. */
function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}
