// Tells what new advisory data changed: one event for each image, with the repositories that hold it.
import {
  batches,
  MAX_EVENT_FINDINGS,
  type EventBus,
  type FindingNotice,
  type ImageDirectory,
} from '../../core/index.ts';
import type { Finding } from '../types.ts';
import type { ImageChange } from './change.ts';

/** Publishes the changes of images that are still stored. */
export async function publishChanges(
  { directory, events }: { readonly directory: ImageDirectory; readonly events: EventBus },
  changes: readonly ImageChange[],
  advisories: string,
  now: Date,
): Promise<void> {
  const told = changes.filter(({ opened, closed }) => opened.length + closed.length > 0);
  for (const batch of batches(told)) {
    const images = await directory.findMany([...new Set(batch.map((change) => change.digest))]);
    const stored = new Map(images.map((image) => [image.digest, image]));
    for (const { digest, opened, closed } of batch) {
      const image = stored.get(digest);
      if (image === undefined) continue;
      const repositories = image.locations.map((location) => location.repository);
      const common = { digest, repositories, advisories, at: now.toISOString() };
      if (opened.length > 0) {
        const findings = opened.slice(0, MAX_EVENT_FINDINGS).map(noticeOf);
        events.publish('finding.opened', { ...common, findings, total: opened.length });
      }
      if (closed.length > 0) {
        const findings = closed
          .slice(0, MAX_EVENT_FINDINGS)
          .map(({ finding, reason }) => ({ ...noticeOf(finding), reason }));
        events.publish('finding.closed', { ...common, findings, total: closed.length });
      }
    }
  }
}

function noticeOf({ id, purl, package: name, installed, fixed, severity }: Finding): FindingNotice {
  return { id, purl, package: name, installed, fixed, severity };
}
