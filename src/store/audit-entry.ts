// What of an audit entry is stored: text that the database takes, within limits.
import { z } from 'zod';
import type { AuditEntry } from './types.ts';

/** Longest action, actor, target and address, in UTF-16 units; the rest is cut. */
const MAX_TEXT = 1_024;

/** Longest detail, as JSON. A longer one is replaced by a note. */
const MAX_DETAIL = 16 * 1_024;

/** An entry as it is stored, and as it stands in the journal. */
export const recordSchema = z.object({
  at: z.iso.datetime(),
  action: z.string(),
  actor: z.string(),
  target: z.string(),
  result: z.enum(['success', 'denied', 'failure']),
  address: z.string().nullable(),
  detail: z.string().nullable(),
});

export type EncodedEntry = z.infer<typeof recordSchema>;

/** Actor and target often come from a client; whatever they hold, the record can be stored. */
export function encodeEntry(entry: AuditEntry, now: number): EncodedEntry {
  return {
    at: new Date(now).toISOString(),
    action: storable(entry.action),
    actor: storable(entry.actor),
    target: storable(entry.target),
    result: entry.result,
    address: entry.address === null ? null : storable(entry.address),
    detail: entry.detail === undefined ? null : encodeDetail(entry.detail),
  };
}

/** PostgreSQL text holds neither NUL nor lone surrogates. */
function storable(text: string): string {
  return text.slice(0, MAX_TEXT).replaceAll('\0', '\u{fffd}').toWellFormed();
}

function encodeDetail(detail: Readonly<Record<string, unknown>>): string {
  let text: string;
  try {
    text = JSON.stringify(detail);
  } catch {
    return '{"omitted":"the detail cannot be written as JSON"}';
  }
  if (text.length > MAX_DETAIL) return `{"omitted":"the detail was ${text.length} characters long"}`;
  return text;
}
