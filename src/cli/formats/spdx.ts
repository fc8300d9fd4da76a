// `-o spdx`: SPDX 2.3 JSON; packages with package URLs, findings as security references.
import type { DistributionRelease, Finding, ImagePackage, ScanReport } from '../../scan/index.ts';
import type { ReportFormat } from './format.ts';
import { documentUuid } from './identifiers.ts';
import { advisoriesLine, notices, problemPlace, verdict } from './wording.ts';

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: 'DESCRIBES' | 'CONTAINS';
  readonly relatedSpdxElement: string;
}

export const spdxFormat: ReportFormat = {
  render(reports, context) {
    const creator = `Tool: breakwater-${context.toolVersion}`;
    const created = instant(reports[0]?.scannedAt ?? '1970-01-01T00:00:00Z');
    const packages: object[] = [];
    const relationships: Relationship[] = [];
    reports.forEach((report, index) => {
      const root = `SPDXRef-Target-${index + 1}`;
      packages.push(rootPackage(report, root));
      relationships.push(relate('SPDXRef-DOCUMENT', 'DESCRIBES', root));
      const findings = Map.groupBy(report.findings, (finding) => `${finding.purl}\n${finding.path}`);
      report.packages.forEach((item, position) => {
        const id = `SPDXRef-Package-${index + 1}-${position + 1}`;
        const own = findings.get(`${item.purl}\n${item.path}`) ?? [];
        const note = {
          annotationDate: created,
          annotationType: 'OTHER',
          annotator: creator,
          comment: noteOf(item),
        };
        packages.push({ ...softwarePackage(item, id, own), annotations: [note] });
        relationships.push(relate(root, 'CONTAINS', id));
      });
      if (report.distribution !== null) {
        const id = `SPDXRef-System-${index + 1}`;
        packages.push(systemPackage(report.distribution, id));
        relationships.push(relate(root, 'CONTAINS', id));
      }
    });
    const document = {
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: reports[0]?.target ?? 'breakwater',
      documentNamespace: `urn:uuid:${documentUuid('spdx', reports)}`,
      creationInfo: { created, creators: [creator] },
      comment: reports
        .map((report) => `${report.target}: ${verdict(report)}; ${advisoriesLine(report)}`)
        .join('\n'),
      annotations: reports.flatMap((report) => annotations(report, creator, created)),
      packages,
      relationships,
    };
    return `${JSON.stringify(document, null, 2)}\n`;
  },
};

function rootPackage(report: ScanReport, id: string): object {
  const digest = report.image?.digest;
  const [algorithm, value] = digest?.split(':') ?? [];
  return {
    SPDXID: id,
    name: report.target,
    ...(digest === undefined ? {} : { versionInfo: digest }),
    ...(algorithm === 'sha256' || algorithm === 'sha512'
      ? { checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue: value }] }
      : {}),
    ...unasserted,
    primaryPackagePurpose: report.image ? 'CONTAINER' : 'FILE',
  };
}

/** What a scan cannot know; SPDX wants the words. */
const unasserted = {
  supplier: 'NOASSERTION',
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
};

function softwarePackage(item: ImagePackage, id: string, findings: readonly Finding[]): object {
  const licenses = (item.licenses ?? []).filter((name) => name !== '');
  const advisories = [...new Set(findings.map((finding) => finding.advisory))];
  return {
    SPDXID: id,
    name: item.name,
    versionInfo: item.version,
    ...unasserted,
    ...(licenses.length > 0 ? { licenseComments: `as stated by the package: ${licenses.join(', ')}` } : {}),
    sourceInfo: `read from layer ${item.layer}: ${item.path}`,
    primaryPackagePurpose: 'LIBRARY',
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: item.purl },
      ...advisories.map((advisory) => ({
        referenceCategory: 'SECURITY',
        referenceType: 'advisory',
        referenceLocator: `https://osv.dev/vulnerability/${encodeURIComponent(advisory)}`,
      })),
    ],
  };
}

/** What a package URL does not say, so that the document read back gives the same findings. */
function noteOf({ layer, path, source, ownedBy, licenses, detail }: ImagePackage): string {
  return `breakwater:package ${JSON.stringify({ layer, path, source, ownedBy, licenses, detail })}`;
}

function systemPackage({ id, versionId, prettyName }: DistributionRelease, reference: string): object {
  return {
    SPDXID: reference,
    name: id,
    ...(versionId === null ? {} : { versionInfo: versionId }),
    ...unasserted,
    description: prettyName,
    primaryPackagePurpose: 'OPERATING-SYSTEM',
  };
}

function annotations(report: ScanReport, annotator: string, annotationDate: string): readonly object[] {
  const lines = [
    ...notices(report),
    ...report.problems.map(
      (problem) => `could not read ${problemPlace(problem)}: ${problem.message} (${problem.code})`,
    ),
  ];
  return lines.map((comment) => ({
    annotationDate,
    annotationType: 'OTHER',
    annotator,
    comment: `${report.target}: ${comment}`,
  }));
}

function relate(
  spdxElementId: string,
  relationshipType: Relationship['relationshipType'],
  relatedSpdxElement: string,
): Relationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

/** SPDX wants seconds and UTC: `2026-01-31T12:00:00Z`. */
function instant(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}
