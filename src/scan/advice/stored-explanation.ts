// Explains a finding of a stored image from its rows; no layer is read.
import type { AdvisoryFile } from '../../advisories/index.ts';
import type { Database } from '../../store/index.ts';
import { scanErrors } from '../errors.ts';
import { findScan } from '../store.ts';
import { listFindings, listPackages } from '../store-queries.ts';
import type { ScanReport } from '../types.ts';
import { explainFinding, type Explanation } from './explanation.ts';

const MAX_ROWS = 20_000;

/**
 * The explanation by the advisories in use now. Before an image was matched with them, findings may be missing that the
 * explanation calls affected. Throws SCAN_IMAGE_UNKNOWN when there is no result.
 */
export async function explainStored(
  db: Database,
  digest: string,
  id: string,
  advisories: AdvisoryFile,
): Promise<Explanation> {
  const scan = await findScan(db, digest);
  if (scan === undefined || scan.advisories === null)
    throw scanErrors.create('SCAN_IMAGE_UNKNOWN', { digest });
  const { packages } = await listPackages(db, { image: digest, limit: MAX_ROWS });
  const open = await listFindings(db, { image: digest, id, state: 'open', limit: MAX_ROWS });
  const exempt = await listFindings(db, { image: digest, id, state: 'exempt', limit: MAX_ROWS });
  const { platform, created, layers, distribution, problems, reason } = scan;
  const report: ScanReport = {
    schemaVersion: 1,
    target: digest,
    status: reason === null ? 'finished' : 'unscannable',
    reason,
    image: { digest, mediaType: '', platform, created, layers },
    distribution,
    packages,
    findings: [...open.findings, ...exempt.findings],
    problems,
    advisories: scan.advisories,
    scannedAt: scan.finishedAt ?? scan.requestedAt,
  };
  return explainFinding(id, report, advisories);
}
