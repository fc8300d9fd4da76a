// The body of a webhook delivery: a CloudEvents 1.0 event in structured JSON (application/cloudevents+json).
import type { EventMap, EventName } from '../../core/index.ts';

/** Media type of a structured CloudEvent. */
export const CLOUD_EVENT_MEDIA_TYPE = 'application/cloudevents+json; charset=utf-8';

/** Every event that can be sent, and the one that only tests a webhook. */
export const WEBHOOK_EVENTS = [
  'image.pushed',
  'image.deleted',
  'scan.finished',
  'finding.opened',
  'finding.closed',
] as const;
export const PING_EVENT = 'webhook.ping';

/** An event as the outbox keeps it. */
export interface StoredEvent {
  readonly id: string;
  readonly name: string;
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The JSON text that is signed and sent; never built again, so that a retry sends the same bytes. */
export function cloudEventBody(event: StoredEvent): string {
  return JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source: '/breakwater',
    type: `io.breakwater.${event.name}`,
    time: event.at,
    ...subjectOf(event),
    datacontenttype: 'application/json',
    data: event.body,
  });
}

/** What the event is about: `repository@digest`, or the digest. */
function subjectOf(event: StoredEvent): { readonly subject?: string } {
  const { repository, digest } = event.body;
  if (typeof digest !== 'string') return {};
  return { subject: typeof repository === 'string' ? `${repository}@${digest}` : digest };
}

/** The fields of an event of the bus, as plain JSON. */
export function eventFields<Name extends EventName>(
  event: EventMap[Name],
): Readonly<Record<string, unknown>> {
  return { ...event };
}
