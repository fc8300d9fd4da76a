// Names and payloads of jobs that one folder enqueues and another one of the same tier works.

/** Scan one stored manifest. Payload: {@link ScanImagePayload}. Enqueued in the transaction that stores the manifest. */
export const SCAN_IMAGE_JOB = 'scan-image';

export interface ScanImagePayload {
  /** A repository that holds the manifest, to pull it from. */
  readonly repository: string;
  readonly digest: string;
  /** Why: shown with the image. */
  readonly trigger: 'push' | 'on-demand';
}
