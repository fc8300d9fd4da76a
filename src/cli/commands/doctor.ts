// `breakwater doctor`: what is missing on this machine, each with the exact fix.
import { createColors } from 'picocolors';
import type { CommandAction } from '../command-line.ts';
import { runChecks } from '../doctor/checks.ts';
import type { CheckResult } from '../doctor/check.ts';
import { printable } from '../formats/wording.ts';
import { optionAddress, optionText, optionTexts } from '../option-values.ts';
import { parseOutputs, writeOutput } from '../output.ts';

export const doctor: CommandAction = async ({ terminal, environment }, _args, options) => {
  const outputs = parseOutputs(optionTexts(options['output']), ['text', 'json'], 'text');
  const results = await runChecks({
    dataDirectory: optionText(options['data']) ?? './data',
    databaseUrl: optionText(options['databaseUrl']),
    advisoriesPath: optionText(options['advisories']),
    listen: optionAddress(options['listen'], '--listen'),
    registryListen: optionAddress(options['registryListen'], '--registry-listen'),
    searchPath: environment['PATH'] ?? '',
  });
  const failed = results.filter((result) => result.state === 'fail').length;
  for (const output of outputs) {
    const coloured = terminal.colour && output.file === null;
    const text =
      output.format === 'json'
        ? `${JSON.stringify({ ok: failed === 0, checks: results }, null, 2)}\n`
        : resultText(results, coloured);
    await writeOutput(output, text, terminal);
  }
  return failed === 0 ? 0 : 1;
};

function resultText(results: readonly CheckResult[], colour: boolean): string {
  const colours = createColors(colour);
  const paint = { ok: colours.green, warn: colours.yellow, fail: colours.red };
  const lines = results.flatMap((result) => [
    `${paint[result.state](result.state.padEnd(4))}  ${result.name}: ${printable(result.found)}`,
    ...(result.fix === null ? [] : [`      do: ${printable(result.fix)}`]),
  ]);
  const count = (state: CheckResult['state']): number =>
    results.filter((result) => result.state === state).length;
  lines.push('', `${count('ok')} ok, ${count('warn')} warn, ${count('fail')} fail`);
  return `${lines.join('\n')}\n`;
}
