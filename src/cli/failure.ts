// Shows an error: what happened, why, what to do, and its stable code; as JSON when the command writes JSON.
import { BreakwaterError, describeError } from '../core/index.ts';
import { printable } from './formats/wording.ts';

/** Lines for a person. */
export function failureText(error: unknown): string {
  if (!(error instanceof BreakwaterError)) {
    const stack = error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : '';
    return `error: ${printable(describeError(error))}\ndo:    This is a fault in Breakwater. Please report it with the lines below.\ncode:  INTERNAL${stack}\n`;
  }
  const why = causeText(error);
  return [
    `error: ${printable(error.message)}`,
    ...(why === undefined ? [] : [`why:   ${printable(why)}`]),
    `do:    ${printable(error.hint)}`,
    `code:  ${error.code}`,
    '',
  ].join('\n');
}

/** The same for programs: `{"error":{"code","message","cause","hint"}}`. */
export function failureJson(error: unknown): string {
  const known = error instanceof BreakwaterError;
  const body = {
    code: known ? error.code : 'INTERNAL',
    message: describeError(error),
    cause: (error instanceof Error ? causeText(error) : undefined) ?? null,
    hint: known ? error.hint : 'This is a fault in Breakwater. Please report it.',
  };
  return `${JSON.stringify({ error: body })}\n`;
}

/** Process exit code of design.md section 4. */
export function exitCodeOf(error: unknown): number {
  return error instanceof BreakwaterError ? error.exit : 70;
}

/** The causes that say something new, outermost first. */
function causeText(error: Error): string | undefined {
  const parts: string[] = [];
  let said = error.message;
  for (
    let cause = error.cause, depth = 0;
    cause instanceof Error && depth < 5;
    cause = cause.cause, depth++
  ) {
    if (cause.message !== '' && !said.includes(cause.message)) {
      parts.push(cause.message);
      said += cause.message;
    }
  }
  return parts.length === 0 ? undefined : parts.join(': ');
}
