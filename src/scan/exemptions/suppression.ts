// What becomes of findings after matching: exemptions first, then VEX documents; nothing is dropped, all is said.
import type { Finding, ScanReport, Suppression } from '../types.ts';
import type { VexDocument } from '../vex/types.ts';
import { VexIndex, type VexAnswer } from '../vex/statement-index.ts';
import { covers, isExpired, type Exemption, type ExemptionSubject } from './exemption.ts';
import { imageNames } from './image-names.ts';

export interface SuppressionRules {
  readonly exemptions: readonly Exemption[];
  /** In order of precedence: the first one that speaks of a finding decides. */
  readonly vex: readonly VexDocument[];
}

export interface SuppressedReports {
  readonly reports: readonly ScanReport[];
  /** Exemptions that have expired and cover findings, which count again. */
  readonly expired: readonly Exemption[];
  /** Exemptions that cover no finding of these reports. */
  readonly unused: readonly Exemption[];
}

/**
 * Marks findings as exempt. An exemption of the organisation goes before what a VEX document says. An expired exemption
 * covers nothing any more. `now` is in milliseconds since the epoch.
 */
export function suppressFindings(
  reports: readonly ScanReport[],
  rules: SuppressionRules,
  now: number,
): SuppressedReports {
  const active = rules.exemptions.filter((exemption) => !isExpired(exemption, now));
  const past = rules.exemptions.filter((exemption) => isExpired(exemption, now));
  const vex = new VexIndex(rules.vex);
  const used = new Set<Exemption>();
  const expired = new Set<Exemption>();
  const suppressed = reports.map((report): ScanReport => {
    const images = imageNames(report);
    const sources = new Map(report.packages.map((item) => [item.purl, item.source?.name ?? null]));
    const findings = report.findings.map((finding): Finding => {
      const subject: ExemptionSubject = { images, sourcePackage: sources.get(finding.purl) ?? null };
      const covering = active.filter((exemption) => covers(exemption, finding, subject));
      for (const exemption of covering) used.add(exemption);
      for (const exemption of past) if (covers(exemption, finding, subject)) expired.add(exemption);
      const [exemption] = covering;
      if (exemption !== undefined) return exempted(finding, suppressionOf(exemption));
      const answer = vex.find(finding, subject);
      return answer === undefined ? finding : answered(finding, answer);
    });
    return { ...report, findings };
  });
  return {
    reports: suppressed,
    expired: [...expired],
    unused: rules.exemptions.filter((exemption) => !used.has(exemption) && !expired.has(exemption)),
  };
}

/** What a finding shows of the exemption that covers it. */
export function suppressionOf({ source, reason, owner, expires }: Exemption): Suppression {
  return { by: 'exemption', source, reason, owner, until: expires };
}

function exempted(finding: Finding, suppression: Suppression): Finding {
  return { ...finding, state: 'exempt', suppression };
}

function answered(finding: Finding, { document, statement }: VexAnswer): Finding {
  const { source, author } = document;
  const { status, text } = statement;
  if (status === 'affected' || status === 'under_investigation') {
    return { ...finding, vex: { status, source, text } };
  }
  const reason = text === '' ? status : `${status}: ${text}`;
  return exempted(finding, { by: 'vex', source, reason, owner: author, until: null });
}
