// The YAML configuration file: long option names, at the top level for every command or under a command's name.
import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { describeError, MiB } from '../core/index.ts';
import { cliErrors } from './errors.ts';

/** An option's value as the file gives it; lists are for options that may be repeated. */
export type ConfigurationValue = string | boolean | readonly string[];

/** Option values by command (`''` for the top level) and long option name without dashes. */
export type Configuration = ReadonlyMap<string, ReadonlyMap<string, ConfigurationValue>>;

/** Which option names each command has; `advisories build` is a command name with a space. */
export type KnownOptions = ReadonlyMap<string, ReadonlySet<string>>;

/** Largest configuration file read. */
const MAX_BYTES = MiB;

/** @throws CLI_CONFIGURATION_UNREADABLE, CLI_CONFIGURATION_INVALID */
export async function readConfigurationFile(file: string, known: KnownOptions): Promise<Configuration> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw cliErrors.create('CLI_CONFIGURATION_UNREADABLE', { file, reason: describeError(error) }, error);
  }
  return parseConfiguration(text, file, known);
}

/** @throws CLI_CONFIGURATION_INVALID, and nothing else whatever the text is. */
export function parseConfiguration(text: string, file: string, known: KnownOptions): Configuration {
  const refuse = (reason: string): Error => cliErrors.create('CLI_CONFIGURATION_INVALID', { file, reason });
  if (text.length > MAX_BYTES) throw refuse('it is larger than 1 MiB');
  const root = parseYaml(text, refuse);
  if (root === null || root === undefined) return new Map();
  if (!isMapping(root)) throw refuse('the top level must be a mapping of option names to values');
  const configuration = new Map<string, ReadonlyMap<string, ConfigurationValue>>();
  const everywhere = new Map<string, ConfigurationValue>();
  const allOptions = new Set([...known.values()].flatMap((names) => [...names]));
  for (const [key, value] of Object.entries(root)) {
    if (allOptions.has(key) && !isMapping(value)) everywhere.set(key, toValue(key, value, refuse));
    else if (isMapping(value)) readCommand(key, value, known, configuration, refuse);
    else throw refuse(`"${key}" is neither an option nor a command`);
  }
  configuration.set('', everywhere);
  return configuration;
}

function readCommand(
  name: string,
  mapping: Readonly<Record<string, unknown>>,
  known: KnownOptions,
  into: Map<string, ReadonlyMap<string, ConfigurationValue>>,
  refuse: (reason: string) => Error,
): void {
  const names = known.get(name);
  const values = new Map<string, ConfigurationValue>();
  for (const [key, value] of Object.entries(mapping)) {
    const nested = `${name} ${key}`;
    if (known.has(nested) && isMapping(value)) readCommand(nested, value, known, into, refuse);
    else if (names?.has(key)) values.set(key, toValue(`${name}.${key}`, value, refuse));
    else throw refuse(`"${name}.${key}" is not an option of ${name}`);
  }
  const isGroup = [...known.keys()].some((command) => command.startsWith(`${name} `));
  if (names === undefined && !isGroup) throw refuse(`"${name}" is not a command`);
  into.set(name, values);
}

function parseYaml(text: string, refuse: (reason: string) => Error): unknown {
  try {
    const document = parseDocument(text, {
      schema: 'core',
      uniqueKeys: true,
      merge: false,
      logLevel: 'silent',
    });
    const first = document.errors[0];
    if (first !== undefined) throw refuse(first.message.split('\n')[0] ?? 'it is not YAML');
    return document.toJS({ maxAliasCount: 20 }) as unknown;
  } catch (error) {
    if (cliErrors.is(error)) throw error;
    throw refuse(describeError(error));
  }
}

function toValue(key: string, value: unknown, refuse: (reason: string) => Error): ConfigurationValue {
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      if (typeof item === 'string' || typeof item === 'number') return String(item);
      throw refuse(`"${key}" must be a list of texts`);
    });
  }
  throw refuse(`"${key}" must be a text, a number, true or false, or a list of texts`);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}
