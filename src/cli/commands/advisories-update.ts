// `breakwater advisories update|publish`.
import { join } from 'node:path';
import {
  type BuildProgress,
  cacheDirectory,
  currentAdvisories,
  type FeedProgress,
  publishAdvisories,
  type UpdateOutcome,
  updateAdvisories,
} from '../../advisories/index.ts';
import { proxyAgents, systemClock } from '../../core/index.ts';
import { findCredential, formatReference, parseReference, RegistryClient } from '../../oci/index.ts';
import type { CommandAction, CommandContext } from '../command-line.ts';
import { cliErrors } from '../errors.ts';
import { age, printable } from '../formats/wording.ts';
import { mirrorAddress, optionText, optionTexts, requiredText } from '../option-values.ts';
import { parseOutputs, writeOutput } from '../output.ts';
import { ProgressLine } from '../progress-line.ts';

const FORMATS = ['text', 'json'] as const;

export const update: CommandAction = async (context, _args, options) => {
  const outputs = parseOutputs(optionTexts(options['output']), FORMATS, 'text');
  const { terminal, environment, interrupted } = context;
  const cache = cacheDirectory(environment);
  const places = placesOf(options, cache);
  const { feed } = options;
  const agents = proxyAgents(environment);
  const progress = new ProgressLine(terminal, options['quiet'] === true);
  try {
    const outcome = await updateAdvisories({
      sources: optionTexts(options['source']),
      mirrors: optionTexts(options['mirror']).map(mirrorAddress),
      ...(Array.isArray(feed) ? { feeds: feed.map(String) } : {}),
      cacheDirectory: join(cache, 'advisories'),
      places,
      clock: systemClock,
      agents,
      signal: interrupted,
      openRegistry: registryOpener(context),
      onProgress: (step) => progress.show(progressText(step)),
    });
    progress.clear();
    for (const warning of outcome.warnings) terminal.err(`warning: ${printable(warning)}\n`);
    const [path] = places;
    const json = { path, ...outcome };
    for (const output of outputs) {
      const text =
        output.format === 'json' ? `${JSON.stringify(json, null, 2)}\n` : outcomeText(path, outcome);
      await writeOutput(output, text, terminal);
    }
    return 0;
  } finally {
    progress.clear();
    agents.close();
  }
};

export const publish: CommandAction = async (context, _args, options) => {
  const outputs = parseOutputs(optionTexts(options['output']), FORMATS, 'text');
  const reference = parseReference(requiredText(options['to'], '--to').replace(/^oci:\/\//, ''));
  if (reference.digest !== null) throw cliErrors.create('CLI_USAGE', { problem: '--to takes no digest' });
  const tag = reference.tag ?? 'latest';
  const path = optionText(options['advisories']) ?? currentAdvisories(cacheDirectory(context.environment));
  const client = await registryOpener(context)(reference.registry, reference.repository);
  const { digest, bytes, info } = await publishAdvisories(path, client, reference.repository, tag);
  const name = formatReference({ ...reference, tag, digest });
  for (const output of outputs) {
    const text =
      output.format === 'json'
        ? `${JSON.stringify({ reference: name, digest, bytes, advisories: info }, null, 2)}\n`
        : `${name}: ${info.advisories} advisories, ${megabytes(bytes)}\n`;
    await writeOutput(output, text, context.terminal);
  }
  return 0;
};

/** `--out` alone, else the cache, and with `--data` also the place of that server. */
function placesOf(options: Readonly<Record<string, unknown>>, cache: string): readonly [string, ...string[]] {
  const out = optionText(options['out']);
  const data = optionText(options['data']);
  const server = data === undefined ? [] : [currentAdvisories(data)];
  return [out ?? currentAdvisories(cache), ...server];
}

function registryOpener({
  environment,
  interrupted,
}: CommandContext): (registry: string, repository: string) => Promise<RegistryClient> {
  return async (registry, repository) => {
    const credential = await findCredential(registry, repository, environment);
    return new RegistryClient(registry, { credential, clock: systemClock, signal: interrupted });
  };
}

function progressText(step: FeedProgress | BuildProgress): string {
  if ('feed' in step) return `${step.done} of ${step.total} feeds  ${step.feed}: ${step.outcome}`;
  if (step.step === 'writing') return `writing ${step.advisories} advisories`;
  return `${step.done} of ${step.total} sources  ${step.source.name}: ${step.source.records} records`;
}

function outcomeText(path: string, { kind, info, bytes }: UpdateOutcome): string {
  const hours = Math.max(0, systemClock.now() - Date.parse(info.builtAt)) / 3_600_000;
  const what = `${info.advisories} advisories, ${info.packages} packages, ${megabytes(bytes)}, ${age(hours)} old`;
  return `${path} ${kind === 'installed' ? 'is now' : 'stays'}: ${what}\n${info.digest}\n`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
