// The vocabulary of `doctor`: what a check is given and what it finds.

export interface CheckResult {
  readonly name: string;
  /** `warn`: works, but the reader should know; `fail`: does not work. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it, as exact as can be; null when there is nothing to do. */
  readonly fix: string | null;
}

export interface CheckContext {
  readonly dataDirectory: string;
  readonly databaseUrl: string | undefined;
  readonly advisoriesPath: string | undefined;
  readonly listen: { readonly host: string; readonly port: number };
  readonly registryListen: { readonly host: string; readonly port: number };
  /** `PATH`. */
  readonly searchPath: string;
}

export function ok(name: string, found: string): CheckResult {
  return { name, state: 'ok', found, fix: null };
}

export function warn(name: string, found: string, fix: string): CheckResult {
  return { name, state: 'warn', found, fix };
}

export function fail(name: string, found: string, fix: string): CheckResult {
  return { name, state: 'fail', found, fix };
}
