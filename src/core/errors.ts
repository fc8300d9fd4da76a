// The one error class and the per-folder error catalogues; `docs/errors.md` is tested against them.

/** What a catalogue says about one code. */
export interface ErrorDefinition {
  /** HTTP status when the error reaches an HTTP client. */
  readonly status: number;
  /** What happened; `{name}` is filled from the parameters given to `create`. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly hint: string;
  /** Process exit code when the error ends a command (design.md section 4). Defaults to 70. */
  readonly exit?: 1 | 2 | 3 | 4 | 70;
}

/** An error with a stable code, a cause and a hint. Every error that leaves a folder is one of these. */
export class BreakwaterError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly exit: number;

  constructor(
    code: string,
    definition: ErrorDefinition,
    parameters: Readonly<Record<string, string | number>>,
    cause?: unknown,
  ) {
    super(fill(definition.message, parameters), cause === undefined ? undefined : { cause });
    this.name = 'BreakwaterError';
    this.code = code;
    this.status = definition.status;
    this.hint = fill(definition.hint, parameters);
    this.exit = definition.exit ?? 70;
  }
}

/** A folder's catalogue: creates its errors and recognises them. */
export interface ErrorCatalogue<Code extends string> {
  readonly folder: string;
  readonly definitions: Readonly<Record<Code, ErrorDefinition>>;
  create(
    code: Code,
    parameters?: Readonly<Record<string, string | number>>,
    cause?: unknown,
  ): BreakwaterError;
  is(error: unknown, code?: Code): error is BreakwaterError;
}

const catalogues = new Map<string, Readonly<Record<string, ErrorDefinition>>>();

/** Declares a folder's error codes. Codes are upper snake case and start with the folder's name. */
export function defineErrors<const Code extends string>(
  folder: string,
  definitions: Readonly<Record<Code, ErrorDefinition>>,
): ErrorCatalogue<Code> {
  catalogues.set(folder, definitions);
  return {
    folder,
    definitions,
    create: (code, parameters = {}, cause) => new BreakwaterError(code, definitions[code], parameters, cause),
    is: (error, code): error is BreakwaterError =>
      error instanceof BreakwaterError &&
      error.code in definitions &&
      (code === undefined || error.code === code),
  };
}

/** Every catalogue loaded so far, by folder: for the documentation test. */
export function loadedErrorCatalogues(): ReadonlyMap<string, Readonly<Record<string, ErrorDefinition>>> {
  return catalogues;
}

/** The text of anything thrown, without a stack. Never throws. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'string' ? error : 'unknown error';
}

/** The Node system error code (`ENOSPC`, `ECONNRESET`, …) of an error or of its causes, if there is one. */
export function systemErrorCode(error: unknown): string | undefined {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; depth++) {
    if ('syscall' in current && 'code' in current && typeof current.code === 'string') return current.code;
    current = current.cause;
  }
  return undefined;
}

function fill(template: string, parameters: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    return value === undefined ? whole : String(value);
  });
}
