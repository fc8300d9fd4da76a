// Values of options, and where they come from: flag, environment, configuration file, default.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  addressOption,
  configOption,
  outputOption,
  parseAddress,
  parseDuration,
  parseSeverities,
} from './command-line.ts';
import { applyOptionSources, knownOptions } from './option-sources.ts';

describe('option values', () => {
  it('reads addresses', () => {
    expect(parseAddress('127.0.0.1:0')).toEqual({ host: '127.0.0.1', port: 0 });
    expect(parseAddress('[::1]:5000')).toEqual({ host: '::1', port: 5000 });
    expect(parseAddress('registry.example:443')).toEqual({ host: 'registry.example', port: 443 });
  });

  it.each(['8080', ':8080', '::1:80', 'host:', 'host:99999', 'a b:1', 'http://x:1'])(
    'refuses the address %s',
    (text) => {
      expect(() => parseAddress(text)).toThrow(InvalidArgumentError);
    },
  );

  it('reads durations and severities', () => {
    expect(parseDuration('7d')).toBe(604_800_000);
    expect(parseDuration('90m')).toBe(5_400_000);
    expect(parseSeverities('critical, HIGH')).toEqual(['critical', 'high']);
    expect(() => parseDuration('7')).toThrow(InvalidArgumentError);
    expect(() => parseSeverities('critical,urgent')).toThrow(/urgent/);
  });

  it('refuses with a usage error whatever the text is', () => {
    for (const parser of [parseAddress, parseDuration, parseSeverities]) {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          try {
            parser(text);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidArgumentError);
          }
        }),
      );
    }
  });
});

describe('option sources', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-options-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    'listen: 10.0.0.1:1\nserve:\n  data: /from/file\n  sample-only: true\n  output: [json=x.json, table]\n  no-sample: true\n',
  );

  async function resolve(args: string[], environment: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
    let options: Record<string, unknown> = {};
    const serve = new Command('serve')
      .addOption(configOption())
      .option('--data <dir>', '', './data')
      .addOption(addressOption('--listen', '', '127.0.0.1:8080'))
      .addOption(outputOption(['table', 'json'], 'table'))
      .option('--sample-only')
      .option('--database-url <url>')
      .option('--no-sample')
      .action(async () => {
        await applyOptionSources(serve, environment);
        options = serve.opts();
      });
    await new Command('breakwater').addCommand(serve).parseAsync(['serve', ...args], { from: 'user' });
    return options;
  }

  it('uses the default when nothing is given', async () => {
    expect(await resolve([], {})).toMatchObject({ data: './data', sample: true, output: [] });
  });

  it('lets the file win over the default, the environment over the file, the flag over all', async () => {
    expect(await resolve(['--config', file], {})).toMatchObject({
      data: '/from/file',
      listen: { host: '10.0.0.1', port: 1 },
      output: ['json=x.json', 'table'],
      sampleOnly: true,
      sample: false,
    });
    expect(await resolve(['--config', file], { BREAKWATER_DATA: '/from/env' })).toMatchObject({
      data: '/from/env',
    });
    expect(
      await resolve(['--config', file, '--data', '/from/flag'], { BREAKWATER_DATA: '/from/env' }),
    ).toMatchObject({
      data: '/from/flag',
    });
    expect(await resolve([], { BREAKWATER_CONFIG: file })).toMatchObject({ data: '/from/file' });
  });

  it('reads flags and lists from the environment', async () => {
    expect(await resolve([], { BREAKWATER_NO_SAMPLE: 'true', BREAKWATER_SAMPLE_ONLY: '0' })).toMatchObject({
      sample: false,
      sampleOnly: false,
    });
    expect(await resolve([], { BREAKWATER_OUTPUT: 'json=a.json, table' })).toMatchObject({
      output: ['json=a.json', 'table'],
    });
    expect(await resolve([], { DATABASE_URL: 'postgres://db' })).toMatchObject({
      databaseUrl: 'postgres://db',
    });
  });

  it('refuses nonsense, naming the place but never the value, which may be a secret', async () => {
    await expect(resolve([], { BREAKWATER_LISTEN: 'hunter2' })).rejects.toThrow(/BREAKWATER_LISTEN/);
    await expect(resolve([], { BREAKWATER_NO_SAMPLE: 'maybe' })).rejects.toThrow(/true or false/);
  });

  it('knows the options of each command', () => {
    const program = new Command('breakwater').addCommand(
      new Command('a').addCommand(new Command('b').option('--x-y <v>')),
    );
    expect(knownOptions(program).get('a b')).toEqual(new Set(['x-y']));
  });
});
