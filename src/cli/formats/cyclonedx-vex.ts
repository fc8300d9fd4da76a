// `-o cyclonedx-vex`: a CycloneDX 1.6 document of nothing but the exempt vulnerabilities and their components.
import { compareFindings, type Finding, type ScanReport } from '../../scan/index.ts';
import { isOpen, type ReportFormat } from './format.ts';
import { documentUuid } from './identifiers.ts';
import { advisoriesLine, notices, suppressionText, verdict } from './wording.ts';

export const cyclonedxVexFormat: ReportFormat = {
  render(reports, context) {
    const exempt = reports.flatMap((report) => report.findings.filter((finding) => !isOpen(finding)));
    const components = new Map(exempt.map((finding) => [finding.purl, component(finding)]));
    const document = {
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${documentUuid('cyclonedx-vex', reports)}`,
      version: 1,
      metadata: {
        timestamp: reports[0]?.scannedAt,
        tools: { components: [{ type: 'application', name: 'breakwater', version: context.toolVersion }] },
        properties: reports.flatMap(about),
      },
      components: [...components.values()],
      vulnerabilities: exempt.toSorted(compareFindings).map(vulnerability),
    };
    return `${JSON.stringify(document, null, 2)}\n`;
  },
};

function about(report: ScanReport): readonly object[] {
  const texts = [verdict(report), advisoriesLine(report), ...notices(report)];
  return texts.map((text) => ({ name: 'breakwater:report', value: `${report.target}: ${text}` }));
}

function component({ purl, package: name, installed }: Finding): object {
  return { type: 'library', 'bom-ref': purl, name, version: installed, purl };
}

function vulnerability(finding: Finding): object {
  const aliases = finding.aliases.filter((id) => id !== finding.id);
  return {
    id: finding.id,
    source: { name: 'OSV', url: `https://osv.dev/vulnerability/${encodeURIComponent(finding.advisory)}` },
    ...(aliases.length > 0 ? { references: aliases.map((id) => ({ id, source: { name: 'OSV' } })) } : {}),
    analysis: analysis(finding),
    affects: [{ ref: finding.purl, versions: [{ version: finding.installed, status: 'affected' }] }],
  };
}

/** What was taken on stays exploitable; only a VEX document says otherwise. */
function analysis(finding: Finding): object {
  const detail = suppressionText(finding);
  if (finding.suppression?.by !== 'vex') return { state: 'exploitable', response: ['will_not_fix'], detail };
  return { state: finding.suppression.reason.startsWith('fixed') ? 'resolved' : 'not_affected', detail };
}
