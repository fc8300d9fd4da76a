// Secrets in SARIF 2.1.0: one rule per kind of secret, one result per place; the value only masked.
import { SEVERITIES, type Severity } from '../../core/index.ts';
import type { ScanReport, SecretFinding } from '../../scan/index.ts';
import { removalText, secretPlace } from './secret-wording.ts';

/** Middle of each CVSS band, as for vulnerabilities without a score. */
const SCORES = ['9.5', '8.0', '5.5', '2.0', '0.0', '0.0'] as const;

/** Rules and results; `firstRule` is the index that the first of these rules has in the run. */
export function secretResults(
  { secrets = [] }: ScanReport,
  firstRule: number,
  level: (severity: Severity) => string,
  uri: (path: string) => string,
): { readonly rules: readonly object[]; readonly results: readonly object[] } {
  const kinds = new Map<string, SecretFinding>();
  for (const secret of secrets) if (!kinds.has(secret.rule)) kinds.set(secret.rule, secret);
  const order = [...kinds.keys()];
  return {
    rules: [...kinds.values()].map((secret) => ({
      id: `secret/${secret.rule}`,
      name: 'SecretInImage',
      shortDescription: { text: secret.title },
      helpUri: 'https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html',
      help: { text: secret.remediation },
      defaultConfiguration: { level: level(secret.severity) },
      properties: {
        'security-severity': SCORES[SEVERITIES.indexOf(secret.severity)] ?? '0.0',
        tags: ['secret', 'security', secret.severity],
      },
    })),
    results: secrets.map((secret) => ({
      ruleId: `secret/${secret.rule}`,
      ruleIndex: firstRule + order.indexOf(secret.rule),
      kind: 'fail',
      level: level(secret.severity),
      message: {
        text: [`${secret.title} (${secret.masked}) in ${secretPlace(secret)}`, removalText(secret)]
          .filter((part) => part !== '')
          .join(', '),
      },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uri(secret.path), uriBaseId: 'IMAGE_ROOT' },
            region: { startLine: secret.line },
          },
        },
      ],
      partialFingerprints: { 'breakwater/secret/v1': `${secret.fingerprint}|${secret.path}` },
      properties: {
        severity: secret.severity,
        source: secret.source,
        validated: secret.validated,
        layer: secret.layer,
        layerDigest: secret.layerDigest,
        removedInLayer: secret.removedInLayer,
      },
    })),
  };
}
