// What the checks state again and again: statuses, locations, error bodies, indexes.
import type { Reply } from './client.ts';
import type { Content, Descriptor } from './content.ts';
import { expectThat } from './must.ts';
import type { Probe } from './must.ts';
import { location } from './preparation.ts';

export function expectStatus(reply: Reply, ...allowed: readonly number[]): void {
  expectThat(
    allowed.includes(reply.status),
    `${reply.method} ${reply.path} answered ${reply.status} instead of ${allowed.join(' or ')}`,
  );
}

/** A refusal that is the client's fault. */
export function expectRefusal(reply: Reply): void {
  expectThat(
    reply.status >= 400 && reply.status < 500,
    `${reply.method} ${reply.path} answered ${reply.status} instead of refusing`,
  );
}

export function expectBytes(reply: Reply, content: Content): void {
  expectThat(
    reply.body.equals(content.bytes),
    `${reply.path} gave back other bytes than were stored under ${content.digest}`,
  );
}

/** The answer has a `Location` from which the content can be pulled. */
export async function expectPullableLocation(probe: Probe, reply: Reply, content: Content): Promise<void> {
  expectThat(location(reply) !== '', `${reply.method} ${reply.path} answered without Location`);
  const pulled = await probe.client.send('GET', location(reply));
  expectStatus(pulled, 200);
  expectBytes(pulled, content);
}

export function parseJson(reply: Reply): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8'));
  } catch {
    expectThat(false, `${reply.method} ${reply.path} answered a body that is not JSON`);
  }
}

/** A property of a parsed JSON object; undefined when there is none. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

/** The entries of `errors` of an error body. */
export function errorsOf(reply: Reply): readonly unknown[] {
  const errors = property(parseJson(reply), 'errors');
  return Array.isArray(errors) ? errors : [];
}

/** The tags of an answer to a tag listing. */
export function tagsOf(reply: Reply): readonly unknown[] {
  const tags = property(parseJson(reply), 'tags');
  // Registries written in Go answer null for an empty list.
  return Array.isArray(tags) ? tags : [];
}

export function sameList(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, position) => value === right[position]);
}

/** Descriptors as read from an index: nothing about them is certain but that they are objects with a digest. */
export type ReadDescriptor = Partial<Descriptor> & { readonly digest: string };

/** The descriptors of an answer that must be an image index. */
export function descriptorsOf(reply: Reply): readonly ReadDescriptor[] {
  const index = parseJson(reply);
  const manifests = property(index, 'manifests');
  expectThat(
    property(index, 'schemaVersion') === 2 && Array.isArray(manifests),
    `${reply.path} answered something else than an image index`,
  );
  expectThat(
    manifests.every((entry) => typeof property(entry, 'digest') === 'string'),
    `${reply.path} answered an index with entries that are not descriptors`,
  );
  return manifests;
}

/** The target of `Link: <…>; rel="next"` (RFC 5988); undefined without the header. */
export function nextLink(reply: Reply): string | undefined {
  const header = reply.headers.link;
  if (header === undefined) return undefined;
  const text = Array.isArray(header) ? header.join(', ') : header;
  const match = /^\s*<([^>]*)>\s*(;.*)$/.exec(text);
  expectThat(
    match?.[1] !== undefined && /;\s*rel\s*=\s*(?:"next"|next)\s*(?:;|$)/i.test(match[2] ?? ''),
    `Link does not follow RFC 5988 with rel="next": ${text}`,
  );
  // The reference may be relative to the request (RFC 3986).
  return new URL(match[1], new URL(reply.path, 'http://registry.invalid'))
    .toString()
    .replace('http://registry.invalid', '');
}
