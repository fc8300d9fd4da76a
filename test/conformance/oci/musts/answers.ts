// Checks of the sections "Error Codes" and "Warnings", on answers of every kind.
import type { Reply } from '../client.ts';
import { randomContent, unknownDigest } from '../content.ts';
import { errorsOf, property } from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';
import { OCTETS, withDigest } from '../preparation.ts';

const ERRORS = 'Error Codes';
const WARNINGS = 'Warnings';
const MAX_WARNING_BYTES = 4096;

const CODES = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
  // Left from Docker; the specification lets clients meet them.
  'TAG_INVALID',
  'MANIFEST_UNVERIFIED',
]);

/** Refusals of every endpoint that have a JSON body. */
async function refusals({ client, prepare, repository }: Probe): Promise<readonly Reply[]> {
  const name = repository();
  const blob = randomContent();
  const upload = await prepare.upload(name);
  const json = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
  const replies = [
    await client.send('GET', `/v2/${name}/manifests/missing`),
    await client.send('GET', `/v2/${name}/manifests/${unknownDigest()}`),
    await client.send('GET', `/v2/${name}/blobs/${unknownDigest()}`),
    await client.send('GET', `/v2/${name}/blobs/sha256:short`),
    await client.send('GET', `/v2/${name}/referrers/sha256:short`),
    await client.send('GET', `/v2/${repository()}/tags/list`),
    await client.send('POST', `/v2/${name}/A/blobs/uploads/`),
    await client.send('PUT', `/v2/${name}/manifests/broken`, { body: Buffer.from('{'), headers: json }),
    await client.send('PUT', `/v2/${name}/manifests/.tag`, { body: Buffer.from('{}'), headers: json }),
    await client.send('PUT', withDigest(upload, unknownDigest()), { body: blob.bytes, headers: OCTETS }),
    await client.send('GET', `/v2/${name}/blobs/uploads/00000000-0000-4000-8000-000000000000`),
    await client.send('DELETE', `/v2/${name}/blobs/${unknownDigest()}`),
    await client.send('GET', '/v2/', { headers: { authorization: 'Basic bm86bm8=' } }),
  ].filter((reply) => reply.status >= 400 && reply.status < 500);
  expectThat(replies.length >= 10, `only ${replies.length} of these requests were refused`);
  return replies.filter(
    (reply) => /json/i.test(reply.headers['content-type'] ?? '') || reply.body[0] === 0x7b,
  );
}

async function refusedWith(
  probe: Probe,
): Promise<readonly { readonly reply: Reply; readonly code: unknown }[]> {
  return (await refusals(probe)).flatMap((reply) =>
    errorsOf(reply).map((error) => ({ reply, code: property(error, 'code') })),
  );
}

/** Every `Warning` in answers of every kind. */
async function warnings(
  probe: Probe,
): Promise<readonly { readonly reply: Reply; readonly values: readonly string[] }[]> {
  const { client, prepare, repository } = probe;
  const name = repository();
  const image = await prepare.image(name, 'latest');
  const replies = [
    await client.send('GET', '/v2/'),
    await client.send('GET', `/v2/${name}/manifests/latest`),
    await client.send('HEAD', `/v2/${name}/manifests/${image.digest}`),
    await client.send('GET', `/v2/${name}/tags/list`),
    await client.send('POST', `/v2/${name}/blobs/uploads/`),
    await client.send('GET', `/v2/${name}/manifests/missing`),
  ];
  return replies.map((reply) => ({ reply, values: rawValues(reply, 'warning') }));
}

function rawValues(reply: Reply, name: string): string[] {
  return reply.rawHeaders.filter(
    (_, position, all) => position % 2 === 1 && all[position - 1]?.toLowerCase() === name,
  );
}

/** Takes `warn-code SP warn-agent SP "text" [SP "date"]` apart (RFC 7234 section 5.5). */
function parts(warning: string): { code?: string | undefined; agent?: string | undefined; rest: string } {
  const match = /^(\S+) (\S+) (.*)$/.exec(warning);
  return { code: match?.[1], agent: match?.[2], rest: match?.[3] ?? '' };
}

export const answers: readonly Must[] = [
  {
    id: 'MUST-100',
    section: ERRORS,
    text: 'A JSON body of a refusal is a list of errors with codes',
    async check(probe) {
      for (const reply of await refusals(probe)) {
        const errors = errorsOf(reply);
        const wellFormed = errors.every((error) => {
          const [code, message] = [property(error, 'code'), property(error, 'message')];
          return typeof code === 'string' && (message === undefined || typeof message === 'string');
        });
        expectThat(errors.length > 0 && wellFormed, `${reply.method} ${reply.path}: ${reply.body}`);
      }
    },
  },
  {
    id: 'MUST-101',
    section: ERRORS,
    text: 'An error code has only capital letters and underscores',
    async check(probe) {
      for (const { reply, code } of await refusedWith(probe)) {
        expectThat(/^[A-Z_]+$/.test(String(code)), `${reply.method} ${reply.path}: code ${code}`);
      }
    },
  },
  {
    id: 'MUST-102',
    section: ERRORS,
    text: 'An error code is one of those in the table',
    async check(probe) {
      for (const { reply, code } of await refusedWith(probe)) {
        expectThat(CODES.has(String(code)), `${reply.method} ${reply.path}: code ${code}`);
      }
    },
  },
  {
    id: 'MUST-103',
    section: WARNINGS,
    text: 'A warning has the code 299',
    async check(probe) {
      for (const { values } of await warnings(probe)) {
        for (const value of values) expectThat(parts(value).code === '299', `Warning: ${value}`);
      }
    },
  },
  {
    id: 'MUST-104',
    section: WARNINGS,
    text: 'A warning has the agent "-"',
    async check(probe) {
      for (const { values } of await warnings(probe)) {
        for (const value of values) expectThat(parts(value).agent === '-', `Warning: ${value}`);
      }
    },
  },
  {
    id: 'MUST-105',
    section: WARNINGS,
    text: 'A warning has no date',
    async check(probe) {
      for (const { values } of await warnings(probe)) {
        for (const value of values) {
          expectThat(/^"(?:[^"\\]|\\.)*"$/.test(parts(value).rest), `Warning: ${value}`);
        }
      }
    },
  },
  {
    id: 'MUST-106',
    section: WARNINGS,
    text: 'All warnings of one answer together have at most 4096 bytes',
    async check(probe) {
      for (const { reply, values } of await warnings(probe)) {
        const bytes = values.reduce((sum, value) => sum + Buffer.byteLength(value, 'latin1'), 0);
        expectThat(bytes <= MAX_WARNING_BYTES, `${reply.path} has ${bytes} bytes of warnings`);
      }
    },
  },
];
