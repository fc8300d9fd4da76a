// `breakwater explain ID TARGET`: why a vulnerability is, or is not, a finding.
import { explainFinding } from '../../scan/index.ts';
import { openAdvisories } from '../advisories-source.ts';
import type { CommandAction } from '../command-line.ts';
import { explanationText } from '../explanation-text.ts';
import { optionText, optionTexts } from '../option-values.ts';
import { parseOutputs, writeOutput } from '../output.ts';
import { parseTarget } from '../scan-target.ts';
import { applySuppressions, readSuppressionSources } from '../suppression-sources.ts';
import { scanTarget, targetScanSettings } from '../target-scan.ts';

/** Ends with 0 whatever the answer is; with 3 when the target cannot be read. */
export const explain: CommandAction = async (context, [id = '', text = ''], options) => {
  const outputs = parseOutputs(optionTexts(options['output']), ['text', 'json'], 'text');
  const target = parseTarget(text, options['offline'] === true);
  const sources = await readSuppressionSources(options);
  const advisories = openAdvisories(optionText(options['advisories']), context.environment);
  try {
    const found = await scanTarget(
      target,
      advisories,
      targetScanSettings(options, context.environment),
      context,
    );
    const reports = applySuppressions(found, sources);
    const explanations = reports.map((report) => explainFinding(id, report, advisories));
    for (const output of outputs) {
      const document =
        output.format === 'json'
          ? `${JSON.stringify(explanations.length === 1 ? explanations[0] : explanations, null, 2)}\n`
          : explanations.map(explanationText).join('\n');
      await writeOutput(output, document, context.terminal);
    }
    return reports.length > 0 && reports.every((report) => report.status === 'unscannable') ? 3 : 0;
  } finally {
    advisories.close();
  }
};
