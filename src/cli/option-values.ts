// Option values as commander hands them over, narrowed to what a command needs.
import { cliErrors } from './errors.ts';

export function optionText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function optionTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** @throws CLI_USAGE when the option was given nowhere. */
export function requiredText(value: unknown, flag: string): string {
  const text = optionText(value);
  if (text === undefined) throw cliErrors.create('CLI_USAGE', { problem: `the option ${flag} is missing` });
  return text;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A value made by `parseAddress`. */
export function optionAddress(value: unknown, flag: string): Address {
  if (typeof value === 'object' && value !== null && 'host' in value && 'port' in value) {
    const { host, port } = value;
    if (typeof host === 'string' && typeof port === 'number') return { host, port };
  }
  throw cliErrors.create('CLI_USAGE', { problem: `the option ${flag} is missing` });
}

/** The base address of a mirror. @throws CLI_USAGE */
export function mirrorAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw cliErrors.create('CLI_USAGE', {
    problem: `--mirror "${text}" is not an address like https://host/path`,
  });
}
