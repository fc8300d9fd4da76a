// `-o openvex`: OpenVEX 0.2 of what is exempt: what a VEX document ruled out, and what somebody took on.
import { compareFindings, type Finding, type ScanReport } from '../../scan/index.ts';
import { isOpen, type ReportFormat } from './format.ts';
import { documentUuid } from './identifiers.ts';
import { advisoriesLine, notices, suppressionText, verdict } from './wording.ts';

export const openvexFormat: ReportFormat = {
  render(reports, context) {
    const timestamp = reports[0]?.scannedAt ?? '1970-01-01T00:00:00.000Z';
    const document = {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': `urn:uuid:${documentUuid('openvex', reports)}`,
      author: 'Breakwater',
      role: 'scanner, with the exemptions and VEX documents it was given',
      timestamp,
      version: 1,
      tooling: [`breakwater ${context.toolVersion}`, ...reports.map(about)].join('; '),
      statements: reports.flatMap((report) =>
        report.findings
          .filter((finding) => !isOpen(finding))
          .toSorted(compareFindings)
          .map((finding) => statement(finding, report, timestamp)),
      ),
    };
    return `${JSON.stringify(document, null, 2)}\n`;
  },
};

function about(report: ScanReport): string {
  return [`${report.target}: ${verdict(report)}`, advisoriesLine(report), ...notices(report)].join(', ');
}

function statement(finding: Finding, report: ScanReport, timestamp: string): object {
  return {
    vulnerability: { name: finding.id, aliases: finding.aliases },
    timestamp,
    products: [product(finding, report)],
    ...conclusion(finding),
  };
}

/** The image with its part; what is no image is its package only. */
function product({ purl }: Finding, { image, target }: ScanReport): object {
  if (image === null) return { '@id': purl };
  const repository = target.replace(/@sha(?:256|512):[0-9a-f]+$/, '').replace(/:[^/:]*$/, '');
  const name = encodeURIComponent(repository.split('/').at(-1)?.toLowerCase() || 'image');
  const id = `pkg:oci/${name}@${encodeURIComponent(image.digest)}?repository_url=${encodeURIComponent(repository)}`;
  return { '@id': id, subcomponents: [{ '@id': purl }] };
}

/** Taking a risk on does not make the image "not affected": it is affected, and this is what is done about it. */
function conclusion(finding: Finding): object {
  const text = suppressionText(finding);
  if (finding.suppression?.by !== 'vex') return { status: 'affected', action_statement: `exempt: ${text}` };
  return finding.suppression.reason.startsWith('fixed')
    ? { status: 'fixed', status_notes: text }
    : { status: 'not_affected', impact_statement: text };
}
