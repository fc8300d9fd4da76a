// The steps of a graceful end, run in the reverse order of the start; one that fails does not stop the others.
import { describeError, type Logger } from '../core/index.ts';

export class ShutdownSteps {
  readonly #logger: Logger;
  readonly #steps: { readonly name: string; readonly run: () => void | Promise<void> }[] = [];
  #running: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds what ends a part that has just been started. */
  add(name: string, run: () => void | Promise<void>): void {
    this.#steps.push({ name, run });
  }

  /** Runs every step once, however often it is called. */
  run(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const started = performance.now();
      try {
        await step.run();
        this.#logger.debug({ step: step.name, ms: Math.round(performance.now() - started) }, 'ended');
      } catch (error) {
        this.#logger.error(
          { step: step.name, err: error },
          `could not end ${step.name}: ${describeError(error)}`,
        );
      }
    }
  }
}
