// `-o sarif`: SARIF 2.1.0 (OASIS); one run per image, one rule per vulnerability, one result per finding.
import { createHash } from 'node:crypto';
import { severityRank, type Severity } from '../../core/index.ts';
import { compareFindings, type Finding, type ScanProblem, type ScanReport } from '../../scan/index.ts';
import type { ReportFormat } from './format.ts';
import { endOfLifeResult, endOfLifeRule } from './sarif-end-of-life.ts';
import { secretResults } from './sarif-secrets.ts';
import { advisoriesLine, notices, problemPlace, suppressionText, verdict } from './wording.ts';

/** Scores for `security-severity` where the advisory carries no CVSS score: the middle of each CVSS band. */
const SCORES: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
  informational: '0.0',
  unknown: '0.0',
};

export const sarifFormat: ReportFormat = {
  render: (reports, context) =>
    `${JSON.stringify(
      {
        $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
        version: '2.1.0',
        runs: reports.map((report) => run(report, context.toolVersion)),
      },
      null,
      2,
    )}\n`,
};

function run(report: ScanReport, toolVersion: string): object {
  const findings = report.findings.toSorted(compareFindings);
  const worst = new Map<string, Finding>();
  for (const finding of findings) {
    const known = worst.get(finding.id);
    if (known === undefined || severityRank(finding.severity) < severityRank(known.severity)) {
      worst.set(finding.id, finding);
    }
  }
  const order = [...worst.keys()];
  const indexes = new Map(order.map((id, index) => [id, index]));
  const secrets = secretResults(report, order.length, level, relativeUri);
  return {
    tool: {
      driver: {
        name: 'breakwater',
        version: toolVersion,
        semanticVersion: toolVersion,
        rules: [...[...worst.values()].map(rule), ...secrets.rules, ...endOfLifeRule(report)],
      },
    },
    automationDetails: {
      id: `breakwater/${[report.target, report.image?.platform].filter(Boolean).join('/')}`,
    },
    originalUriBaseIds: { IMAGE_ROOT: { uri: 'file:///' } },
    invocations: [
      {
        executionSuccessful: report.status === 'finished',
        endTimeUtc: report.scannedAt,
        toolExecutionNotifications: [...report.problems.map(problemNotification), ...noticeList(report)],
      },
    ],
    results: [
      ...findings.map((finding) => result(finding, indexes.get(finding.id) ?? 0)),
      ...secrets.results,
      ...endOfLifeResult(report, order.length + secrets.rules.length),
    ],
    properties: {
      target: report.target,
      status: report.status,
      imageDigest: report.image?.digest ?? null,
      platform: report.image?.platform ?? null,
      advisories: report.advisories,
    },
  };
}

function rule(finding: Finding): object {
  return {
    id: finding.id,
    name: 'VulnerablePackage',
    shortDescription: { text: `${finding.id} in ${finding.package}` },
    fullDescription: { text: finding.title === '' ? finding.id : finding.title },
    helpUri: `https://osv.dev/vulnerability/${encodeURIComponent(finding.advisory)}`,
    help: { text: fixText(finding) },
    defaultConfiguration: { level: level(finding.severity) },
    properties: {
      'security-severity':
        finding.cvssScore === null ? SCORES[finding.severity] : finding.cvssScore.toFixed(1),
      tags: ['vulnerability', 'security', finding.severity, ...(finding.exploited ? ['exploited'] : [])],
      aliases: finding.aliases,
    },
  };
}

function result(finding: Finding, ruleIndex: number): object {
  return {
    ruleId: finding.id,
    ruleIndex,
    kind: 'fail',
    level: level(finding.severity),
    message: {
      text: `${finding.package} ${finding.installed} is affected by ${finding.id} (${finding.severity}). ${fixText(finding)}`,
    },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: relativeUri(finding.path), uriBaseId: 'IMAGE_ROOT' },
          region: { startLine: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: finding.purl, name: finding.package, kind: 'package' }],
        message: { text: `layer ${finding.layer}: ${finding.path}` },
      },
    ],
    partialFingerprints: fingerprints(finding),
    ...(finding.suppression === undefined
      ? {}
      : {
          suppressions: [{ kind: 'external', status: 'accepted', justification: suppressionText(finding) }],
        }),
    properties: {
      severity: finding.severity,
      installed: finding.installed,
      fixed: finding.fixed,
      fixState: finding.fixState,
      range: finding.range,
      exploited: finding.exploited,
      epss: finding.epss,
      layer: finding.layer,
      layerDigest: finding.layerDigest,
    },
  };
}

/**
 * What a finding is known by from scan to scan (SARIF 3.27.17): flaw, package and file. The version is not part of it,
 * so that a rebuild that does not fix the flaw does not close and open the alert.
 */
function fingerprints({ id, purl, path }: Finding): Readonly<Record<string, string>> {
  const withoutVersion = purl.replace(/@[^@/?]*(?=\?|$)/, '').replace(/\?.*$/, '');
  const hash = createHash('sha256')
    .update(JSON.stringify([id, withoutVersion, path]))
    .digest('hex');
  return { 'breakwater/v2': hash.slice(0, 32) };
}

function fixText(finding: Finding): string {
  return finding.fixed === null
    ? `No fixed version is known (${finding.fixState}).`
    : `Upgrade to ${finding.fixed} or later.`;
}

function problemNotification(problem: ScanProblem): object {
  return {
    level: 'error',
    descriptor: { id: problem.code },
    message: { text: `could not read ${problemPlace(problem)}: ${problem.message}` },
  };
}

function noticeList(report: ScanReport): readonly object[] {
  const lines = [verdict(report), advisoriesLine(report), ...notices(report)];
  return [...new Set(lines)].map((text) => ({
    level: text.startsWith('NOT SCANNED') ? 'error' : 'note',
    message: { text },
  }));
}

function level(severity: Severity): 'error' | 'warning' | 'note' {
  if (severity === 'critical' || severity === 'high') return 'error';
  return severity === 'medium' || severity === 'unknown' ? 'warning' : 'note';
}

/** A relative reference of RFC 3986: each segment encoded, no leading slash. */
function relativeUri(path: string): string {
  return path
    .toWellFormed()
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .map(encodeURIComponent)
    .join('/');
}
