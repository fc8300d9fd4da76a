// One line on stderr that is overwritten as work goes on; one line at the end where nobody is looking.
import { truncate } from './columns.ts';
import { printable } from './formats/wording.ts';
import type { Terminal } from './terminal.ts';

/** Longest time between two writes, in milliseconds. */
const PACE_MS = 80;

export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #active: boolean;
  readonly #quiet: boolean;
  #shownAt = 0;
  #shown = false;

  constructor(terminal: Terminal, quiet: boolean) {
    this.#terminal = terminal;
    this.#active = terminal.errIsTerminal && !quiet;
    this.#quiet = quiet;
  }

  show(text: string): void {
    const now = Date.now();
    if (!this.#active || now - this.#shownAt < PACE_MS) return;
    this.#shownAt = now;
    this.#shown = true;
    this.#terminal.err(`\r\u001b[2K${truncate(printable(text), this.#terminal.width - 1)}`);
  }

  /** Ends the progress; where nobody is looking, this is the one line that a log keeps. */
  finish(text: string): void {
    this.clear();
    if (!this.#quiet && !this.#active) this.#terminal.err(`${printable(text)}\n`);
  }

  clear(): void {
    if (this.#shown) this.#terminal.err('\r\u001b[2K');
    this.#shown = false;
  }
}
