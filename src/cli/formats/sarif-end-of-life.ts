// The end of life of the distribution as a SARIF rule and result of its own (SARIF 2.1.0, sections 3.27 and 3.49).
import type { ScanReport } from '../../scan/index.ts';

const RULE_ID = 'END_OF_LIFE';

/** The rule, when the report has such a result. */
export function endOfLifeRule(report: ScanReport): readonly object[] {
  if (report.distributionSupport?.status !== 'endOfLife') return [];
  return [
    {
      id: RULE_ID,
      name: 'DistributionEndOfLife',
      shortDescription: { text: 'Distribution release is not supported any more' },
      fullDescription: {
        text: 'Flaws that are found after the end of support are not fixed in this release.',
      },
      help: { text: 'Build the image from a release that is supported.' },
      defaultConfiguration: { level: 'warning' },
      properties: { 'security-severity': '7.0', tags: ['security', 'end-of-life'] },
    },
  ];
}

/** The result; none while the distribution is supported, or when that is not known. */
export function endOfLifeResult(report: ScanReport, ruleIndex: number): readonly object[] {
  const { distribution, distributionSupport: support } = report;
  if (distribution === null || support?.status !== 'endOfLife') return [];
  const { id, versionId, prettyName } = distribution;
  return [
    {
      ruleId: RULE_ID,
      ruleIndex,
      kind: 'fail',
      level: 'warning',
      message: { text: `${prettyName} reached end of life on ${support.supportedUntil}.` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'etc/os-release', uriBaseId: 'IMAGE_ROOT' },
            region: { startLine: 1 },
          },
        },
      ],
      partialFingerprints: { 'breakwater/v1': `${RULE_ID}|${id}|${versionId ?? ''}` },
      properties: { ...support },
    },
  ];
}
