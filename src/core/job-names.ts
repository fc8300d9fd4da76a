// Names and payloads of jobs that one folder enqueues and another one of the same tier works.

/** Scan one stored manifest. Payload: {@link ScanImagePayload}. Enqueued in the transaction that stores the manifest. */
export const SCAN_IMAGE_JOB = 'scan-image';

/**
 * How scan jobs are retried, the same for the folders that enqueue and the one that works. A job is taken as lost after half an
 * hour: longer than the time limit of a scan.
 */
export const SCAN_IMAGE_QUEUE = { retryLimit: 3, retryDelaySeconds: 2, expireSeconds: 1_800 } as const;

export interface ScanImagePayload {
  /** A repository that holds the manifest, to pull it from. */
  readonly repository: string;
  readonly digest: string;
  /** Why: shown with the image. */
  readonly trigger: 'push' | 'on-demand' | 'refresh';
}
