// `breakwater serve`: starts the server, says where it is, shows the sample on new data, and ends gracefully.
import { once } from 'node:events';
import { currentAdvisories } from '../../advisories/index.ts';
import { createLogger, type LogLevel, systemClock, systemRandomness } from '../../core/index.ts';
import {
  keepYoungGenerationSmall,
  type RunningServer,
  type ServerConfiguration,
  type ServerRole,
  startServer,
} from '../../server/index.ts';
import { type CommandAction, type CommandContext, ROLES } from '../command-line.ts';
import { cliErrors } from '../errors.ts';
import { failureText } from '../failure.ts';
import { mirrorAddress, optionAddress, optionText, optionTexts } from '../option-values.ts';
import type { Terminal } from '../terminal.ts';
import { pushSample, readSampleReport } from '../sample-push.ts';
import { readyJson, readyText, sampleText } from '../first-run.ts';
import { VERSION } from '../version.ts';

export const serve: CommandAction = async (context, _args, options) => {
  const { terminal, interrupted } = context;
  keepYoungGenerationSmall();
  const server = await startServer(readConfiguration(options, terminal));
  try {
    if (options['readyJson'] === true) await terminal.out(readyJson(server));
    else await terminal.out(readyText(server, VERSION));
    const isNew = server.credential !== null && options['newPassword'] !== true;
    if (isNew && options['sample'] !== false && !interrupted.aborted) {
      await showSample(server, context, options['readyJson'] === true);
    }
    if (!interrupted.aborted) await once(interrupted, 'abort');
    terminal.err('stopping: uploads in flight may end (press Ctrl-C again to force)\n');
  } finally {
    await server.stop();
  }
  return 0;
};

function readConfiguration(
  options: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): ServerConfiguration {
  const databaseUrl = optionText(options['databaseUrl']);
  const registryUrl = optionText(options['registryUrl']);
  const dataDirectory = optionText(options['data']) ?? './data';
  const advisoriesPath = optionText(options['advisories']) ?? currentAdvisories(dataDirectory);
  const { advisoriesUpdateEvery, scanConcurrency, rescanAfter } = options;
  return {
    dataDirectory,
    role: readRole(options['role']),
    listen: optionAddress(options['listen'], '--listen'),
    registryListen: optionAddress(options['registryListen'], '--registry-listen'),
    webhookAllowPrivate: options['webhookAllowPrivate'] === true,
    newPassword: options['newPassword'] === true,
    scanConcurrency: typeof scanConcurrency === 'number' ? scanConcurrency : 2,
    ...(typeof rescanAfter === 'number' ? { rescanAfterDays: rescanAfter } : {}),
    version: VERSION,
    logger: createLogger(readLogLevel(options['logLevel'], terminal.errIsTerminal)),
    clock: systemClock,
    randomness: systemRandomness,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(registryUrl === undefined ? {} : { registryUrl }),
    advisoriesPath,
    ...(typeof advisoriesUpdateEvery === 'number'
      ? {
          advisoryUpdates: {
            everyMs: advisoriesUpdateEvery * 3_600_000,
            sources: [...optionTexts(options['advisoriesSource'])],
            mirrors: optionTexts(options['advisoriesMirror']).map((mirror) => mirrorAddress(mirror).href),
          },
        }
      : {}),
  };
}

function readRole(value: unknown): ServerRole {
  const role = ROLES.find((known) => known === value);
  if (role === undefined)
    throw cliErrors.create('CLI_USAGE', { problem: `--role must be one of ${ROLES.join(', ')}` });
  return role;
}

/** Where a person is looking, only what needs attention is logged. */
function readLogLevel(value: unknown, isTerminal: boolean): LogLevel {
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
  return levels.find((level) => level === value) ?? (isTerminal ? 'warn' : 'info');
}

/** A sample that fails is told and does not end the server. */
async function showSample(server: RunningServer, context: CommandContext, quiet: boolean): Promise<void> {
  const { terminal, interrupted } = context;
  const { apiUrl, registryAddress, credential } = server;
  if (apiUrl === null || registryAddress === null || credential === null) return;
  try {
    terminal.err('building a small sample image, pushing it, and waiting for its scan …\n');
    const digest = await pushSample({ registryAddress, credential, signal: interrupted });
    const report = await readSampleReport({
      apiUrl,
      registryAddress,
      credential,
      digest,
      signal: interrupted,
    });
    const text = await sampleText(report, server, terminal);
    if (quiet) terminal.err(text);
    else await terminal.out(text);
  } catch (error) {
    if (!interrupted.aborted) terminal.err(failureText(error));
  }
}
