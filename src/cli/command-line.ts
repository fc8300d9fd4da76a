// Options that commands share, and what every command is handed.
import { Command, InvalidArgumentError, Option } from 'commander';
import { type LogLevel, SEVERITIES, type Severity } from '../core/index.ts';
import { environmentName } from './option-sources.ts';
import type { Terminal } from './terminal.ts';

/** What a command is run with; it resolves to the process's exit code. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted at the first SIGINT or SIGTERM; commands that clean up listen to it. */
  readonly interrupted: AbortSignal;
}

/** Runs one command with its parsed arguments and options. */
export type CommandAction = (
  context: CommandContext,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<number>;

/** Connects an action to a command, lazily loaded by `load`. */
export type Bind = (command: Command, load: () => Promise<CommandAction>) => Command;

/** Help shows the environment variable of each option. */
export function newCommand(name: string): Command {
  return new Command(name).configureHelp({
    optionDescription: (option) => {
      const parts: string[] = [];
      if (option.argChoices) parts.push(`one of ${option.argChoices.join(', ')}`);
      const shown = option.defaultValueDescription ?? option.defaultValue;
      if (typeof shown === 'string' || typeof shown === 'number') parts.push(`default ${shown}`);
      // Help and version are not options that a command reads from anywhere.
      if (!['--help', '--version'].includes(option.long ?? '')) parts.push(environmentName(option));
      return parts.length === 0 ? option.description : `${option.description} (${parts.join('; ')})`;
    },
  });
}

export function configOption(): Option {
  return new Option('--config <file>', 'YAML file with option values');
}

export function dataOption(): Option {
  return new Option('--data <dir>', 'data directory of the server').default('./data');
}

export function databaseOption(): Option {
  return new Option(
    '--database-url <url>',
    'PostgreSQL server instead of the embedded database; DATABASE_URL works too',
  );
}

export function advisoriesOption(): Option {
  return new Option(
    '--advisories <path>',
    'advisory file (default what "advisories update" got, else a small starter set)',
  );
}

export function ignoreFileOption(): Option {
  return new Option(
    '--ignore-file <file>',
    'exemptions, YAML or JSON (default .breakwater/exemptions.yaml where it exists)',
  );
}

export function vexOption(): Option {
  return new Option('--vex <file>', 'VEX document (OpenVEX, CycloneDX, CSAF), repeatable')
    .default([])
    .argParser(collect);
}

export function outputOption(formats: readonly string[], fallback: string): Option {
  return new Option(
    '-o, --output <format[=file]>',
    `output format, repeatable: ${formats.join(', ')} (default ${fallback})`,
  )
    .default([])
    .argParser(collect);
}

export function addressOption(flag: string, description: string, fallback: string): Option {
  return new Option(`${flag} <host:port>`, description)
    .argParser(parseAddress)
    .default(parseAddress(fallback), fallback);
}

/** What one process does (design.md section 4). */
export const ROLES = ['all', 'registry', 'api', 'worker'] as const;

export function roleOption(): Option {
  return new Option('--role <role>', 'what this process does; other roles than all need DATABASE_URL')
    .choices(ROLES)
    .default('all');
}

export function logLevelOption(): Option {
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
  return new Option(
    '--log-level <level>',
    'least important log lines written to stderr; info, or warn in a terminal',
  ).choices(levels);
}

/** What `scan` can look for. Packages are always read: `vuln` is what they are for. */
export const SCANNERS = ['vuln', 'secret'] as const;

export function scannersOption(): Option {
  return new Option('--scanners <list>', 'what to look for, comma-separated: vuln, secret')
    .argParser(parseScanners)
    .default([...SCANNERS], 'vuln,secret');
}

function parseScanners(text: string): readonly string[] {
  const names = parseNames(text);
  const unknown = names.find((name) => !SCANNERS.some((scanner) => scanner === name));
  if (unknown !== undefined || !names.includes('vuln'))
    throw new InvalidArgumentError(`"${text}" is not vuln or vuln,secret`);
  return names;
}

/** `--option a --option b` to `['a', 'b']`. */
export function collect(value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? previous.map(String) : []), value];
}

/** `a,b` to names. */
export function parseNames(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export function parseSeverities(text: string): readonly Severity[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  return names.map(parseSeverity);
}

export function parseSeverity(text: string): Severity {
  const found = SEVERITIES.find((severity) => severity === text.trim().toLowerCase());
  if (found === undefined) throw new InvalidArgumentError(`"${text}" is none of ${SEVERITIES.join(', ')}`);
  return found;
}

/** `90m`, `36h`, `7d` to milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})(m|h|d)$/.exec(text.trim());
  if (match === null) throw new InvalidArgumentError(`"${text}" is not a duration like 90m, 36h or 7d`);
  const minutes = match[2] === 'm' ? 1 : match[2] === 'h' ? 60 : 1440;
  return Number(match[1]) * minutes * 60_000;
}

/** `HOST:PORT`, `[::1]:PORT`. */
export function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new InvalidArgumentError(`"${text}" is not HOST:PORT, for example 127.0.0.1:8080`);
  }
  return { host, port };
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text.trim()) || value < 1)
    throw new InvalidArgumentError(`"${text}" is not a number from 1`);
  return value;
}
