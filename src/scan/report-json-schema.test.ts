// docs/report.schema.json is what the code says (update: vitest with -u), and real reports have nothing beside it.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { starterReport, unscannableReport, vulnerableReport } from '../cli/testing/reports.ts';
import { systemClock } from '../core/index.ts';
import { openFinding, reportOf } from './advice/testing/findings.ts';
import { adviseUpgrades } from './advice/upgrades.ts';
import { suppressFindings } from './exemptions/suppression.ts';
import { reportJsonSchema } from './report-json-schema.ts';
import { reportSchema } from './report-schema.ts';
import { scanSbom } from './sbom/scan-sbom.ts';
import { affects, buildAdvisories } from './testing.ts';

it('is written down in docs/', async () => {
  const file = join(import.meta.dirname, '../../docs/report.schema.json');
  await expect(`${JSON.stringify(reportJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(file);
});

it('names every member of real reports', async () => {
  const file = await buildAdvisories([{ id: 'A-1', affected: [affects('npm', 'a', '2.0.0')] }]);
  try {
    const { advisories } = file;
    const components = [
      { type: 'library', purl: 'pkg:npm/a@1.0.0' },
      { type: 'library', name: 'no url' },
    ];
    const sbom = Buffer.from(JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components }));
    const scanned = scanSbom(sbom, 'x.json', { advisories, clock: systemClock });
    const exemption = {
      vulnerability: openFinding.id,
      reason: 'r',
      owner: 'o',
      expires: '2999-01-01',
      source: 'f:1',
    };
    const rules = { exemptions: [exemption], vex: [] };
    const reports = [
      vulnerableReport,
      starterReport,
      unscannableReport,
      { ...scanned, upgrades: adviseUpgrades(scanned, advisories) },
      ...suppressFindings([reportOf([openFinding])], rules, 0).reports,
    ];
    expect(reports.at(-2)).toMatchObject({ upgrades: [{ upgradeTo: '2.0.0' }] });
    for (const report of reports) {
      const document: unknown = JSON.parse(JSON.stringify(report));
      expect(reportSchema.parse(document)).toEqual(document);
    }
  } finally {
    file.remove();
  }
});
