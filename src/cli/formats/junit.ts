// `-o junit`: JUnit XML for build servers; a finding is a failed test, what could not be read is an error.
import { compareFindings, type ScanReport } from '../../scan/index.ts';
import { isOpen, type ReportFormat } from './format.ts';
import { removalText, secretPlace } from './secret-wording.ts';
import { advisoriesLine, notices, problemPlace, suppressionText, verdict } from './wording.ts';

export const junitFormat: ReportFormat = {
  render(reports) {
    const suites = reports.map((report) => suite(report));
    const tests = suites.reduce((sum, item) => sum + item.tests, 0);
    const failures = suites.reduce((sum, item) => sum + item.failures, 0);
    const errors = suites.reduce((sum, item) => sum + item.errors, 0);
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuites name="breakwater" tests="${tests}" failures="${failures}" errors="${errors}">`,
      ...suites.flatMap((item) => item.lines),
      '</testsuites>',
      '',
    ].join('\n');
  },
};

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly lines: readonly string[];
}

function suite(report: ScanReport): Suite {
  const name = report.image?.platform ? `${report.target} ${report.image.platform}` : report.target;
  const cases = [...findingCases(report), ...secretCases(report), ...problemCases(report)];
  const open = report.findings.filter(isOpen).length;
  const failures = open + (report.secrets?.length ?? 0);
  const skipped = report.findings.length - open;
  const unscanned = report.status === 'unscannable' && report.problems.length === 0;
  if (unscanned) cases.push(errorCase('scan', 'NOT_SCANNED', verdict(report)));
  if (cases.length === 0) cases.push(`    <testcase classname="scan" name="${xml(verdict(report))}"/>`);
  const errors = report.problems.length + (unscanned ? 1 : 0);
  const counts = `tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
  const timestamp = xml(report.scannedAt.replace(/(\.\d+)?Z$/, ''));
  return {
    tests: cases.length,
    failures,
    errors,
    lines: [
      `  <testsuite name="${xml(name)}" ${counts} timestamp="${timestamp}">`,
      '    <properties>',
      property('status', report.status),
      property('verdict', verdict(report)),
      property('advisories', advisoriesLine(report)),
      property('advisories.digest', report.advisories.digest),
      property('advisories.ageHours', String(report.advisories.ageHours)),
      ...notices(report).map((notice) => property('notice', notice)),
      '    </properties>',
      ...cases,
      '  </testsuite>',
    ],
  };
}

function findingCases(report: ScanReport): string[] {
  return report.findings.toSorted(compareFindings).map((finding) => {
    const fix = finding.fixed === null ? `no fix (${finding.fixState})` : `fixed in ${finding.fixed}`;
    const message = `${finding.severity}: ${finding.id} in ${finding.package} ${finding.installed}, ${fix}`;
    const text = `${finding.title}\n${finding.purl}\nlayer ${finding.layer}: ${finding.path}`;
    return [
      `    <testcase classname="${xml(finding.purl)}" name="${xml(`${finding.id} ${finding.package}`)}">`,
      isOpen(finding)
        ? `      <failure type="${finding.severity}" message="${xml(message)}">${xml(text)}</failure>`
        : `      <skipped message="${xml(`exempt: ${suppressionText(finding)}`)}"/>`,
      '    </testcase>',
    ].join('\n');
  });
}

function secretCases({ secrets = [] }: ScanReport): string[] {
  return secrets.map((secret) => {
    const message = `${secret.severity}: ${secret.title} (${secret.masked})`;
    const text = [secretPlace(secret), removalText(secret), secret.remediation].filter((part) => part !== '');
    return [
      `    <testcase classname="secrets" name="${xml(`${secret.rule} ${secretPlace(secret)}`)}">`,
      `      <failure type="${secret.severity}" message="${xml(message)}">${xml(text.join('\n'))}</failure>`,
      '    </testcase>',
    ].join('\n');
  });
}

function problemCases(report: ScanReport): string[] {
  return report.problems.map((problem) => errorCase(problemPlace(problem), problem.code, problem.message));
}

function errorCase(place: string, code: string, message: string): string {
  return [
    `    <testcase classname="scan" name="${xml(place)}">`,
    `      <error type="${xml(code)}" message="${xml(message)}"/>`,
    '    </testcase>',
  ].join('\n');
}

function property(name: string, value: string): string {
  return `      <property name="${xml(name)}" value="${xml(value)}"/>`;
}

/** Escapes text for XML 1.0; characters that XML cannot hold become U+FFFD. */
function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
