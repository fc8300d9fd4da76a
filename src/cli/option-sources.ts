// Where option values come from: flag, then environment, then configuration file, then default.
import type { Command, Option } from 'commander';
import { type Configuration, type ConfigurationValue, readConfigurationFile } from './configuration-file.ts';
import { cliErrors } from './errors.ts';

/** `fail-on` → `BREAKWATER_FAIL_ON`. */
export function environmentName(option: Option): string {
  return `BREAKWATER_${(option.long ?? '').replace(/^--/, '').replaceAll('-', '_').toUpperCase()}`;
}

/** Environment variables other than `BREAKWATER_…` that an option listens to. */
const ALIASES: Readonly<Record<string, string>> = { BREAKWATER_DATABASE_URL: 'DATABASE_URL' };

/** Fills in, after parsing, every option that was not given as a flag. */
export async function applyOptionSources(command: Command, environment: NodeJS.ProcessEnv): Promise<void> {
  const path = commandPath(command);
  for (const option of command.options) {
    const text = environment[environmentName(option)] ?? environment[ALIASES[environmentName(option)] ?? ''];
    if (text !== undefined && text !== '' && isOpen(command, option)) {
      set(command, option, environmentValue(option, text), 'env', environmentName(option));
    }
  }
  const file: unknown = command.opts()['config'];
  if (typeof file !== 'string') return;
  const configuration = await readConfigurationFile(file, knownOptions(root(command)));
  for (const option of command.options) {
    const value = configuredValue(configuration, path, option);
    if (value !== undefined && isOpen(command, option)) {
      set(command, option, value, 'config', `${longName(option)} in ${file}`);
    }
  }
}

/** Every command with its option names, for checking a configuration file. */
export function knownOptions(program: Command): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, ReadonlySet<string>>();
  const visit = (command: Command): void => {
    const path = commandPath(command);
    if (path !== '')
      known.set(path, new Set(command.options.map(longName).filter((name) => name !== 'config')));
    for (const child of command.commands) visit(child);
  };
  visit(program);
  return known;
}

function configuredValue(
  configuration: Configuration,
  path: string,
  option: Option,
): ConfigurationValue | undefined {
  if (longName(option) === 'config') return undefined;
  return configuration.get(path)?.get(longName(option)) ?? configuration.get('')?.get(longName(option));
}

/** The top level's value must not win over the environment, nor the environment over a flag. */
function isOpen(command: Command, option: Option): boolean {
  const source = command.getOptionValueSource(option.attributeName());
  return source === undefined || source === 'default';
}

function set(
  command: Command,
  option: Option,
  value: ConfigurationValue,
  source: 'env' | 'config',
  place: string,
): void {
  const refuse = (reason: string): Error => cliErrors.create('CLI_USAGE', { problem: `${place}: ${reason}` });
  const takesValue = option.required || option.optional;
  if (!takesValue) {
    if (typeof value !== 'boolean') throw refuse('must be true or false');
    command.setOptionValueWithSource(option.attributeName(), option.negate ? !value : value, source);
    return;
  }
  const texts = typeof value === 'boolean' ? [String(value)] : typeof value === 'string' ? [value] : value;
  if (texts.length > 1 && !option.variadic && !isRepeatable(option)) throw refuse('takes one value only');
  let result: unknown = isRepeatable(option) ? [] : undefined;
  for (const text of texts) {
    if (option.argChoices !== undefined && !option.argChoices.includes(text)) {
      throw refuse(`must be one of ${option.argChoices.join(', ')}`);
    }
    try {
      result = option.parseArg === undefined ? text : option.parseArg(text, result);
    } catch (error) {
      throw refuse(error instanceof Error ? error.message : 'is not valid');
    }
  }
  command.setOptionValueWithSource(option.attributeName(), result, source);
}

/** Environment variables are texts: flags take true and false, repeatable options a comma-separated list. */
function environmentValue(option: Option, text: string): ConfigurationValue {
  if (option.required || option.optional) {
    return isRepeatable(option) ? text.split(',').map((part) => part.trim()) : text;
  }
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw cliErrors.create('CLI_USAGE', { problem: `${environmentName(option)}: must be true or false` });
}

function isRepeatable(option: Option): boolean {
  return Array.isArray(option.defaultValue);
}

function longName(option: Option): string {
  return (option.long ?? '').replace(/^--/, '');
}

function commandPath(command: Command): string {
  return command.parent === null ? '' : `${commandPath(command.parent)} ${command.name()}`.trim();
}

function root(command: Command): Command {
  return command.parent === null ? command : root(command.parent);
}
