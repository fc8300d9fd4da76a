// `-o cyclonedx`: CycloneDX 1.6 JSON (ECMA-424): components, and vulnerabilities that refer to them.
import type { Severity } from '../../core/index.ts';
import {
  compareFindings,
  type DistributionRelease,
  type Finding,
  type ImagePackage,
  type ScanReport,
} from '../../scan/index.ts';
import type { ReportFormat } from './format.ts';
import { documentUuid, uniqueNames } from './identifiers.ts';
import { advisoriesLine, notices, problemPlace, suppressionText, verdict } from './wording.ts';

type Component = Readonly<Record<string, unknown>>;

/** One report with the references its components got. */
interface Part {
  readonly report: ScanReport;
  readonly root: Component;
  readonly rootReference: string;
  readonly components: readonly Component[];
  /** Component references by package URL and path. */
  readonly references: ReadonlyMap<string, string>;
}

export const cyclonedxFormat: ReportFormat = {
  render(reports, context) {
    const unique = uniqueNames();
    const parts = reports.map((report) => part(report, unique));
    const only = parts.length === 1 ? parts[0] : undefined;
    const document = {
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${documentUuid('cyclonedx', reports)}`,
      version: 1,
      metadata: {
        timestamp: reports[0]?.scannedAt,
        tools: { components: [{ type: 'application', name: 'breakwater', version: context.toolVersion }] },
        component: only?.root ?? {
          type: 'container',
          'bom-ref': unique('target'),
          name: reports[0]?.target ?? '',
        },
      },
      components: only?.components ?? parts.map((item) => ({ ...item.root, components: item.components })),
      dependencies: parts.map((item) => ({
        ref: item.rootReference,
        dependsOn: [...new Set(item.references.values())],
      })),
      vulnerabilities: vulnerabilities(parts),
    };
    return `${JSON.stringify(document, null, 2)}\n`;
  },
};

function part(report: ScanReport, unique: (wanted: string) => string): Part {
  const rootReference = unique(report.image?.digest ?? report.target);
  const references = new Map<string, string>();
  const components = report.packages.map((item) => {
    const reference = unique(item.purl);
    references.set(`${item.purl}\n${item.path}`, reference);
    if (!references.has(item.purl)) references.set(item.purl, reference);
    return packageComponent(item, reference);
  });
  if (report.distribution !== null) components.push(systemComponent(report.distribution, unique));
  return { report, root: rootComponent(report, rootReference), rootReference, components, references };
}

function rootComponent(report: ScanReport, reference: string): Component {
  return {
    type: report.image ? 'container' : 'file',
    'bom-ref': reference,
    name: report.target,
    ...(report.image ? { version: report.image.digest } : {}),
    properties: [
      property('status', report.status),
      property('verdict', verdict(report)),
      property('platform', report.image?.platform ?? ''),
      property('advisories', advisoriesLine(report)),
      property('advisories:kind', report.advisories.kind),
      property('advisories:digest', report.advisories.digest),
      property('advisories:builtAt', report.advisories.builtAt),
      property('advisories:ageHours', String(report.advisories.ageHours)),
      ...notices(report).map((notice) => property('notice', notice)),
      ...report.problems.map((problem) =>
        property('problem', `${problem.code}: ${problemPlace(problem)}: ${problem.message}`),
      ),
    ],
  };
}

function systemComponent(release: DistributionRelease, unique: (wanted: string) => string): Component {
  const { id, versionId, prettyName } = release;
  return {
    type: 'operating-system',
    'bom-ref': unique(`os:${id}-${versionId ?? ''}`),
    name: id,
    ...(versionId === null ? {} : { version: versionId }),
    description: prettyName,
  };
}

function packageComponent(item: ImagePackage, reference: string): Component {
  const licenses = (item.licenses ?? []).filter((name) => name !== '');
  return {
    type: 'library',
    'bom-ref': reference,
    name: item.name,
    version: item.version,
    purl: item.purl,
    ...(licenses.length > 0 ? { licenses: licenses.map((name) => ({ license: { name } })) } : {}),
    properties: [
      property('package:kind', item.kind),
      property('package:layer', String(item.layer)),
      property('package:path', item.path),
      ...(item.source ? [property('package:source', `${item.source.name} ${item.source.version}`)] : []),
      ...(item.ownedBy === undefined ? [] : [property('package:ownedBy', item.ownedBy)]),
      ...Object.entries(item.detail ?? {}).map(([name, value]) => property(`package:detail:${name}`, value)),
    ],
  };
}

function vulnerabilities(parts: readonly Part[]): readonly object[] {
  const grouped = new Map<string, { finding: Finding; affects: Map<string, string> }>();
  for (const { report, references } of parts) {
    for (const finding of report.findings.toSorted(compareFindings)) {
      const key = JSON.stringify([finding.id, finding.advisory, finding.severity, finding.suppression]);
      const group = grouped.get(key) ?? { finding, affects: new Map<string, string>() };
      const reference = references.get(`${finding.purl}\n${finding.path}`) ?? references.get(finding.purl);
      if (reference !== undefined) group.affects.set(reference, finding.installed);
      grouped.set(key, group);
    }
  }
  return [...grouped.values()].map(({ finding, affects }) => vulnerability(finding, affects));
}

function vulnerability(finding: Finding, affects: ReadonlyMap<string, string>): object {
  const osv = { name: 'OSV', url: `https://osv.dev/vulnerability/${encodeURIComponent(finding.advisory)}` };
  const aliases = [...new Set([finding.advisory, ...finding.aliases])].filter((id) => id !== finding.id);
  return {
    id: finding.id,
    source: osv,
    ...(aliases.length > 0 ? { references: aliases.map((id) => ({ id, source: { name: 'OSV' } })) } : {}),
    ratings: [
      {
        severity: severity(finding.severity),
        ...(finding.cvssScore === null ? {} : { score: finding.cvssScore }),
        ...(finding.cvssVector === null ? {} : { vector: finding.cvssVector }),
        method: method(finding.cvssVector),
        source: { name: finding.severitySource },
      },
    ],
    description: finding.title,
    recommendation:
      finding.fixed === null
        ? `No fixed version is known (${finding.fixState}).`
        : `Upgrade ${finding.package} to ${finding.fixed} or later.`,
    affects: [...affects].map(([ref, version]) => ({ ref, versions: [{ version, status: 'affected' }] })),
    ...(finding.suppression === undefined
      ? {}
      : { analysis: { state: analysisState(finding), detail: suppressionText(finding) } }),
    properties: [
      property('exploited', String(finding.exploited)),
      ...(finding.epss === null ? [] : [property('epss', String(finding.epss))]),
      property('range', finding.range),
    ],
  };
}

/** An exemption is a decision, not a statement that the flaw is absent: only VEX documents say "not affected". */
function analysisState({ suppression }: Finding): string {
  if (suppression?.by !== 'vex') return 'exploitable';
  return suppression.reason.startsWith('fixed') ? 'resolved' : 'not_affected';
}

function property(name: string, value: string): { readonly name: string; readonly value: string } {
  return { name: `breakwater:${name}`, value };
}

function severity(value: Severity): string {
  return value === 'informational' ? 'info' : value;
}

function method(vector: string | null): string {
  if (vector === null) return 'other';
  if (vector.startsWith('CVSS:4.')) return 'CVSSv4';
  if (vector.startsWith('CVSS:3.1')) return 'CVSSv31';
  return vector.startsWith('CVSS:3.') ? 'CVSSv3' : 'CVSSv2';
}
