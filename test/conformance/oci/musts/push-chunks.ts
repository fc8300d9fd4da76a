// Checks of the section "Pushing a blob in chunks".
import { digestOf, randomContent } from '../content.ts';
import type { Content } from '../content.ts';
import type { Reply } from '../client.ts';
import { expectBytes, expectPullableLocation, expectRefusal, expectStatus } from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';
import { location, OCTETS, withDigest } from '../preparation.ts';

const SECTION = 'Pushing a blob in chunks';
const SIZE = 300;
const HALF = 150;

/** Sends bytes `start` to `end` (exclusive) of a blob as a chunk. */
function patch({ client }: Probe, target: string, blob: Content, start: number, end: number): Promise<Reply> {
  const headers = { ...OCTETS, 'content-range': `${start}-${end - 1}` };
  return client.send('PATCH', target, { body: blob.bytes.subarray(start, end), headers });
}

/** An upload that holds the first half of a blob. */
async function halfUploaded(probe: Probe): Promise<{ name: string; blob: Content; reply: Reply }> {
  const [name, blob] = [probe.repository(), randomContent(SIZE)];
  const reply = await patch(probe, await probe.prepare.upload(name), blob, 0, HALF);
  return { name, blob, reply };
}

/** The same, by requests that are not under test; resolves to the location for the next chunk. */
async function preparedHalf(probe: Probe): Promise<{ name: string; blob: Content; target: string }> {
  const [name, blob] = [probe.repository(), randomContent(SIZE)];
  const headers = { ...OCTETS, 'content-range': `0-${HALF - 1}` };
  const sending = { body: blob.bytes.subarray(0, HALF), headers };
  const reply = await probe.prepare.send(202, 'PATCH', await probe.prepare.upload(name), sending);
  return { name, blob, target: location(reply) };
}

function expectRange(reply: Reply, last: number): void {
  expectThat(
    reply.headers['range'] === `0-${last}`,
    `${reply.method} answered Range ${reply.headers['range']} instead of 0-${last}`,
  );
}

export const pushChunks: readonly Must[] = [
  {
    id: 'MUST-30',
    section: SECTION,
    text: 'A chunked upload is started by a POST with Content-Length: 0',
    async check({ client, repository }) {
      const headers = { 'content-length': '0' };
      expectStatus(await client.send('POST', `/v2/${repository()}/blobs/uploads/`, { headers }), 202);
    },
  },
  {
    id: 'MUST-31',
    section: SECTION,
    text: 'Both ends of Content-Range belong to the chunk: a range one too long or too short is refused',
    async check(probe) {
      const [name, blob] = [probe.repository(), randomContent(SIZE)];
      for (const last of [HALF, HALF - 2]) {
        const headers = { ...OCTETS, 'content-range': `0-${last}` };
        const body = blob.bytes.subarray(0, HALF);
        expectRefusal(await probe.client.send('PATCH', await probe.prepare.upload(name), { body, headers }));
      }
      expectStatus(await patch(probe, await probe.prepare.upload(name), blob, 0, HALF), 202);
    },
  },
  {
    id: 'MUST-32',
    section: SECTION,
    text: 'The first chunk begins at 0',
    async check(probe) {
      const [name, blob] = [probe.repository(), randomContent(SIZE)];
      const target = await probe.prepare.upload(name);
      expectStatus(await patch(probe, target, blob, 1, HALF), 416);
      expectStatus(await patch(probe, target, blob, 0, HALF), 202);
    },
  },
  {
    id: 'MUST-33',
    section: SECTION,
    text: 'Content-Range is two numbers joined by a dash: anything else is refused',
    async check(probe) {
      const [name, blob] = [probe.repository(), randomContent(10)];
      for (const range of ['bytes 0-9/10', '0-', '-9', '0-9/10', 'a-b', '0x0-0x9']) {
        const headers = { ...OCTETS, 'content-range': range };
        const target = await probe.prepare.upload(name);
        expectRefusal(await probe.client.send('PATCH', target, { body: blob.bytes, headers }));
      }
    },
  },
  {
    id: 'MUST-34',
    section: SECTION,
    text: 'A stored chunk answers 202',
    async check(probe) {
      const { blob, reply } = await halfUploaded(probe);
      expectStatus(reply, 202);
      expectStatus(await patch(probe, location(reply), blob, HALF, SIZE), 202);
    },
  },
  {
    id: 'MUST-35',
    section: SECTION,
    text: 'A stored chunk answers with Location and with Range up to its last byte',
    async check(probe) {
      const { blob, reply } = await halfUploaded(probe);
      expectThat(location(reply) !== '', 'no Location');
      expectRange(reply, HALF - 1);
      const second = await patch(probe, location(reply), blob, HALF, SIZE);
      expectThat(location(second) !== '', 'no Location');
      expectRange(second, SIZE - 1);
    },
  },
  {
    id: 'MUST-36',
    section: SECTION,
    text: 'Chunks sent in order make up the blob',
    async check(probe) {
      const { name, blob, reply } = await halfUploaded(probe);
      const second = await patch(probe, location(reply), blob, HALF, SIZE);
      expectStatus(await probe.client.send('PUT', withDigest(location(second), blob.digest)), 201);
      expectBytes(await probe.client.send('GET', `/v2/${name}/blobs/${blob.digest}`), blob);
    },
  },
  {
    id: 'MUST-37',
    section: SECTION,
    text: 'A chunk that leaves a gap or comes again answers 416, and the upload can go on',
    async check(probe) {
      const { blob, target } = await preparedHalf(probe);
      expectStatus(await patch(probe, target, blob, HALF + 1, SIZE), 416);
      expectStatus(await patch(probe, target, blob, 0, HALF), 416);
      expectStatus(await patch(probe, target, blob, HALF - 1, SIZE), 416);
      expectStatus(await patch(probe, target, blob, HALF, SIZE), 202);
    },
  },
  {
    id: 'MUST-38',
    section: SECTION,
    text: 'An upload is closed by PUT, with the last chunk or without; before that there is no blob',
    async check(probe) {
      for (const withChunk of [true, false]) {
        const { name, blob, target } = await preparedHalf(probe);
        const next = withChunk ? target : location(await patch(probe, target, blob, HALF, SIZE));
        expectStatus(await probe.client.send('HEAD', `/v2/${name}/blobs/${blob.digest}`), 404);
        const chunk = {
          body: blob.bytes.subarray(HALF),
          headers: { ...OCTETS, 'content-range': `${HALF}-${SIZE - 1}` },
        };
        const closing = withDigest(next, blob.digest);
        expectStatus(await probe.client.send('PUT', closing, withChunk ? chunk : {}), 201);
        expectStatus(await probe.client.send('HEAD', `/v2/${name}/blobs/${blob.digest}`), 200);
      }
    },
  },
  {
    id: 'MUST-39',
    section: SECTION,
    text: 'The closing PUT names the digest of the whole blob: without it, or with that of the last chunk, it is refused',
    async check(probe) {
      const { blob, target } = await preparedHalf(probe);
      const body = blob.bytes.subarray(HALF);
      const headers = { ...OCTETS, 'content-range': `${HALF}-${SIZE - 1}` };
      expectRefusal(await probe.client.send('PUT', target, { body, headers }));
      const again = await preparedHalf(probe);
      const last = again.blob.bytes.subarray(HALF);
      const closing = withDigest(again.target, digestOf(last));
      expectRefusal(await probe.client.send('PUT', closing, { body: last, headers }));
    },
  },
  {
    id: 'MUST-40',
    section: SECTION,
    text: 'A closed upload answers 201',
    async check(probe) {
      const { blob, target } = await preparedHalf(probe);
      const body = blob.bytes.subarray(HALF);
      const headers = { ...OCTETS, 'content-range': `${HALF}-${SIZE - 1}` };
      expectStatus(await probe.client.send('PUT', withDigest(target, blob.digest), { body, headers }), 201);
    },
  },
  {
    id: 'MUST-41',
    section: SECTION,
    text: 'A closed upload answers with the Location of the blob',
    async check(probe) {
      const { blob, target } = await preparedHalf(probe);
      const body = blob.bytes.subarray(HALF);
      const headers = { ...OCTETS, 'content-range': `${HALF}-${SIZE - 1}` };
      const closed = await probe.client.send('PUT', withDigest(target, blob.digest), { body, headers });
      await expectPullableLocation(probe, closed, blob);
    },
  },
  {
    id: 'MUST-42',
    section: SECTION,
    text: 'GET of an upload in progress answers 204',
    async check(probe) {
      const { target } = await preparedHalf(probe);
      expectStatus(await probe.client.send('GET', target), 204);
    },
  },
  {
    id: 'MUST-43',
    section: SECTION,
    text: 'GET of an upload in progress answers with Location and Range, from which it can go on',
    async check(probe) {
      const { blob, target } = await preparedHalf(probe);
      const reply = await probe.client.send('GET', target);
      expectThat(location(reply) !== '', 'no Location');
      expectRange(reply, HALF - 1);
      expectStatus(await patch(probe, location(reply), blob, HALF, SIZE), 202);
    },
  },
];
