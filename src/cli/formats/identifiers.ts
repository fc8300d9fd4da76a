// Identifiers of SBOM documents, derived from what was scanned so that the same report gives the same document.
import { createHash } from 'node:crypto';
import type { ScanReport } from '../../scan/index.ts';

/** A UUID (RFC 9562 version 8) that names this set of reports. */
export function documentUuid(kind: string, reports: readonly ScanReport[]): string {
  const hash = createHash('sha256').update(kind);
  for (const report of reports) {
    const parts = [
      report.target,
      report.image?.digest ?? '',
      report.image?.platform ?? '',
      report.advisories.digest,
    ];
    hash.update(JSON.stringify([...parts, report.scannedAt, report.findings.length, report.packages.length]));
  }
  const bytes = hash.digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Makes names unique by a numbered suffix, in the order asked. */
export function uniqueNames(): (wanted: string) => string {
  const used = new Map<string, number>();
  return (wanted) => {
    const seen = used.get(wanted) ?? 0;
    used.set(wanted, seen + 1);
    return seen === 0 ? wanted : `${wanted}#${seen + 1}`;
  };
}
