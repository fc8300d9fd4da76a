// The end of life of a distribution stands in every format that people or their tools read it from.
import { describe, expect, it } from 'vitest';
import type { ScanReport } from '../../scan/index.ts';
import { vulnerableReport } from '../testing/reports.ts';
import { type FormatName, loadFormat } from './format.ts';

const ended: ScanReport = {
  ...vulnerableReport,
  distribution: { id: 'debian', versionId: '10', prettyName: 'Debian GNU/Linux 10 (buster)' },
  distributionSupport: { status: 'endOfLife', supportedUntil: '2024-06-30', paidSupport: null },
};

async function render(name: FormatName, report: ScanReport): Promise<string> {
  return (await loadFormat(name)).render([report], {
    toolVersion: '0.1.0',
    width: 120,
    colour: false,
    showAll: false,
    showExempt: false,
    compareVersions: () => 0,
  });
}

describe('end of life', () => {
  it.each(['table', 'markdown'] as const)('%s names it beside the distribution', async (name) => {
    expect((await render(name, ended)).replaceAll('\\', '')).toContain(
      '(buster) (end of life since 2024-06-30)',
    );
  });

  it('json carries the status', async () => {
    expect(JSON.parse(await render('json', ended))).toMatchObject({
      distributionSupport: { status: 'endOfLife', supportedUntil: '2024-06-30' },
    });
  });

  it('sarif has a rule and a result of its own, and only then', async () => {
    const [run] = JSON.parse(await render('sarif', ended)).runs;
    const result = run.results.at(-1);
    expect(result).toMatchObject({ ruleId: 'END_OF_LIFE', level: 'warning' });
    expect(run.tool.driver.rules[result.ruleIndex].id).toBe('END_OF_LIFE');
    expect(result.message.text).toBe('Debian GNU/Linux 10 (buster) reached end of life on 2024-06-30.');
    expect(await render('sarif', vulnerableReport)).not.toContain('END_OF_LIFE');
  });
});
